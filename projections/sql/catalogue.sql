-- Which generation of each view is current. Beside the store: a file in SQLite, a schema in
-- PostgreSQL.
create table if not exists catalogue (
    format bigint not null primary key  -- of this table and of the generations
);

create table if not exists generation (
    view text not null,
    generation bigint not null,    -- 1, 2, … within the view
    version bigint not null,       -- of the view's code that builds it
    state text not null,           -- building, current, retired; dropped: keeps the number taken
    fingerprint text not null,     -- of that code's columns and events; empty until it is begun
    created_at bigint not null,    -- microseconds since 1970
    exposed bigint not null,       -- 1: the stable-named SQL views point here
    primary key (view, generation)
);

create unique index if not exists generation_current on generation (view) where state = 'current';

-- The stable-named SQL views that were made for foreign clients.
create table if not exists exposed (
    name text not null primary key,
    view text not null
);
