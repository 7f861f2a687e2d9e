-- Version 3: snapshots of folded states, each in the place of the one before. Nothing depends on
-- them: a row that is lost, or that does not fit the stream, is folded again from the events.

create table snapshot (
    stream text not null,       -- its name
    type text not null,         -- of the message that the state was written as
    fold integer not null,      -- the user's stamp of how events were folded
    version integer not null,   -- of the last event folded, and which that was:
    partition integer not null,
    position integer not null,
    event_id blob not null check (length(event_id) = 16),
    hash blob not null check (length(hash) = 32),
    bytes blob not null,
    primary key (stream, type)
) strict, without rowid;
