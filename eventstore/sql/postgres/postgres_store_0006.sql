-- Version 6: how often events of a stream were erased. A snapshot of a state that was folded before
-- the last time may hold what they said, and is not kept.

alter table stream add column erasures bigint not null default 0;
