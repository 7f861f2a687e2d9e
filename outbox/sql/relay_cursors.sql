-- Beside the store: how far each relay's topic is known to hold it. On SQLite and PostgreSQL alike.

create table if not exists relay_cursor (
    topic     text   not null,
    partition bigint not null,
    n         bigint not null,  -- everything up to here was confirmed by the brokers
    hash      bytea  not null,  -- of the n-th event
    primary key (topic, partition)
);

-- Of a topic of messages: where each of its partitions was known to end. Read again when the relay
-- starts, so that a topic that was truncated or made anew is noticed.
create table if not exists relay_end (
    topic       text   not null,
    partition   bigint not null,
    last_offset bigint not null,  -- -1: nothing there yet
    primary key (topic, partition)
);

-- And the last message confirmed in each: another topic of the same name may be as long.
create table if not exists relay_message (
    topic       text   not null,
    partition   bigint not null,
    last_offset bigint not null,  -- its place; -1: none yet
    event       bytea  not null,  -- the id of the event that it came of
    primary key (topic, partition)
);
