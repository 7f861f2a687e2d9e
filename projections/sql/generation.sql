-- What each generation of a view holds besides the view's own tables.
create table _generation (
    id bigint not null primary key,  -- always 1
    view text not null,
    version bigint not null,
    generation bigint not null,
    store bytea not null,
    partitions bigint not null,
    columns text not null,           -- of a keyed view: "name type" lines
    retired bigint not null,         -- 1: another generation took over
    stopped text not null            -- why its projector stopped; empty when it did not
);

-- Everything up to here is in the view, or parked. Moved in the transaction that writes the rows.
create table _checkpoint (
    partition bigint not null primary key,
    position bigint not null,
    hash bytea not null,         -- of the event at that position
    incarnation bytea not null,  -- of the store when it was applied
    recorded_at bigint not null, -- of that event, microseconds since 1970
    place bigint                 -- where the log found that event: a hint, see Log::remember
);

-- Events set aside: the first of a stream failed, later ones of that stream queue behind it.
create table _parked (
    partition bigint not null,
    position bigint not null,
    stream text not null,
    type text not null,
    error text not null,         -- of the first of a stream; empty for those behind it
    parked_at bigint not null,
    primary key (partition, position)
);

create index _parked_stream on _parked (stream);
