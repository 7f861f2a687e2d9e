-- Version 2: streams can be closed. The stream's last event says so to readers; this column keeps
-- its writer from appending.

alter table stream add column closed integer not null default 0 check (closed in (0, 1));
