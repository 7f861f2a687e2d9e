-- Version 4: appends are written by plain statements of the program, which plan faster than a
-- function and take numbers and bytes as they are. One of those has no way of its own to fail when
-- a stream is not where it was taken to be; it calls this. write_group stays for programs that
-- opened the store before this version and still run.

create function stream_moved() returns boolean language plpgsql as $body$
begin
    raise exception 'a stream is not at the version it was taken to be at' using errcode = 'RC001';
end
$body$;
