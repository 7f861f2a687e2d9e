-- The event store in a SQLite file, schema version 1 (pragma user_version), recognised by
-- pragma application_id = 0x52434e54, "RCNT". Times are microseconds since 1970, UTC.

create table store (
    only integer primary key check (only = 1),
    id blob not null check (length(id) = 16),
    partitions integer not null check (partitions > 0),
    created_at integer not null,
    horizon integer not null   -- outcomes recorded before may have been removed; never runs back
) strict;

-- The store's histories, oldest first; the last one lives.
create table incarnation (
    number integer primary key,
    id blob not null unique check (length(id) = 16),
    parent blob references incarnation (id),
    began_at integer not null
) strict;

-- For each history but the first, where in each partition it left its parent.
create table fork (
    incarnation integer not null references incarnation (number),
    partition integer not null,
    position integer not null,
    hash blob not null,
    recorded_at integer not null,
    primary key (incarnation, partition)
) strict, without rowid;

-- The last event of each partition: 0, zeros and 0 when there is none.
create table partition (
    partition integer primary key,
    position integer not null,
    hash blob not null check (length(hash) = 32),
    recorded_at integer not null
) strict;

-- The revisions in which each type of event was stored; descriptors are the bytes of a
-- google.protobuf.FileDescriptorSet, null when the writing program did not know the type.
create table schema (
    id integer primary key,
    type text not null,
    revision integer not null,
    fingerprint blob not null,
    descriptors blob,
    unique (type, revision)
) strict;

create table stream (
    id integer primary key,
    name text not null unique
) strict;

-- No foreign keys on the hottest table: each costs a look-up for every event. verify_chain()
-- compares what the envelope says. Rows come in the order of commits, so the table only grows at
-- its end.
create table event (
    id integer primary key,
    partition integer not null,
    position integer not null,
    stream integer not null,   -- stream.id
    version integer not null,
    schema integer not null,   -- schema.id
    envelope blob not null,
    hash blob not null,
    salt blob,                 -- null together with the payload: erased
    payload blob
) strict;

create unique index event_by_position on event (partition, position);
create unique index event_by_stream on event (stream, version);

-- What became of each command id; bytes are recount.v1.Outcome.
create table outcome (
    command_id text primary key,
    kind integer not null,
    recorded_at integer not null,
    bytes blob not null
) strict, without rowid;
