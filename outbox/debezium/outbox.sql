-- For services that publish with Debezium: a table as its outbox event router expects it, filled in
-- the transaction of each append. Apply once to the store's schema, as the store's owner:
--
--     psql "$DATABASE" -v ON_ERROR_STOP=1 -1 -c 'set search_path to shop' -f outbox.sql
--
-- Rows are only ever inserted. Nobody but Debezium reads them, so those it has sent may be deleted:
-- it is not told of that. Sagas' events stay out.
--
-- Debezium needs a user that may replicate and read this table:
--
--     create role debezium login replication password '...';
--     grant usage on schema shop to debezium;
--     grant select on shop.outbox to debezium;

create table outbox (
    id            uuid primary key,       -- the event's
    aggregatetype varchar(255) not null,  -- the stream's category
    aggregateid   varchar(255) not null,  -- the stream's id
    type          varchar(255) not null,  -- full name of the protobuf message
    payload       bytea,                  -- its bytes, as stored
    position      bigint       not null   -- in its partition of the log; see connector.json
);

-- What a connector may read: rows that arrive, not their deletion. Named <schema>_outbox.
do $body$
begin
    execute format('create publication %I for table outbox with (publish = ''insert'')',
        current_schema || '_outbox');
end
$body$;

-- The event's id out of its envelope: a protobuf message with its fields in order, the stream
-- first, then the version, then the id.
create function envelope_event_id(stream text, envelope bytea) returns uuid
language plpgsql immutable strict as $body$
declare
    size constant integer := octet_length(stream);
    place integer := size + case when size < 128 then 2 else 3 end;
begin
    if get_byte(envelope, place) <> 16 then
        raise exception 'the envelope of an event of % has no version where it should be', stream;
    end if;
    place := place + 1;
    while get_byte(envelope, place) >= 128 loop
        place := place + 1;
    end loop;
    if get_byte(envelope, place + 1) <> 26 or get_byte(envelope, place + 2) <> 16 then
        raise exception 'the envelope of an event of % has no id where it should be', stream;
    end if;
    return encode(substring(envelope from place + 4 for 16), 'hex')::uuid;
end
$body$;

create function fill_outbox() returns trigger
language plpgsql set search_path from current as $body$
begin
    insert into outbox (id, aggregatetype, aggregateid, type, payload, position)
        select envelope_event_id(a.stream, a.envelope), split_part(a.stream, '-', 1),
            substr(a.stream, strpos(a.stream, '-') + 1), s.type, a.payload,
            a.position
        from added a join schema s on s.id = a.schema
        where split_part(a.stream, '-', 1) <> 'saga'
        order by a.partition, a.position;
    return null;
end
$body$;

create trigger fill_outbox after insert on event
    referencing new table as added
    for each statement execute function fill_outbox();
