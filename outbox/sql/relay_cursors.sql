-- Beside the store: how far each relay's topic is known to hold it. On SQLite and PostgreSQL alike.

create table if not exists relay_cursor (
    topic     text   not null,
    partition bigint not null,
    n         bigint not null,  -- everything up to here was confirmed by the brokers
    hash      bytea  not null,  -- of the n-th event
    primary key (topic, partition)
);
