-- Version 3: snapshots of folded states, each in the place of the one before. Nothing depends on
-- them: a row that is lost, or that does not fit the stream, is folded again from the events.

create table snapshot (
    stream   text   collate "C" not null,
    type     text   collate "C" not null,  -- of the message that the state was written as
    fold     bigint not null,              -- the user's stamp of how events were folded
    version  bigint not null,              -- of the last event folded, and which that was:
    partition integer not null,
    position bigint not null,
    event_id bytea  not null check (length(event_id) = 16),
    hash     bytea  not null check (length(hash) = 32),
    bytes    bytea  not null,
    primary key (stream, type)
);
