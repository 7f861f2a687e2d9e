-- Version 5: the outcome of a single event may say where that is in a field of its own, which the
-- server fills in. Programs of earlier versions do not read it, and would answer with no position.

comment on column outcome.bytes is 'recount.v1.Outcome';
