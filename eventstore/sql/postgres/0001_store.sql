-- The store, in a schema of its own. Run in one transaction, under the advisory lock of the schema.
-- Times are microseconds since 1970 in UTC; ids and hashes are raw bytes. Names compare by their bytes.

create table migration (
    number     bigint primary key,
    applied_at bigint not null
);

-- One row: what never changes.
create table store (
    one        boolean primary key default true check (one),
    id         bytea   not null check (length(id) = 16),
    partitions integer not null check (partitions between 1 and 1024),
    created_at bigint  not null
);

-- The histories of the store, oldest first; the last one lives.
create table incarnation (
    number   bigint primary key,
    id       bytea  not null unique check (length(id) = 16),
    parent   bytea  references incarnation (id),
    began_at bigint not null
);

-- For each partition of an incarnation that has a parent: the last event they share.
create table fork (
    incarnation bytea   not null references incarnation (id),
    partition   integer not null,
    n           bigint  not null,
    hash        bytea   not null check (length(hash) = 32),
    recorded_at bigint  not null,
    primary key (incarnation, partition)
);

-- The heads: one row a partition, locked by whoever appends to it or checks a stream in it. Room on
-- the page keeps its updates off the index.
create table partition (
    id          integer primary key,
    incarnation bytea  not null,
    n           bigint not null,
    hash        bytea  not null check (length(hash) = 32),
    recorded_at bigint not null
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

create table event (
    partition integer not null,
    n         bigint  not null,
    stream    text    collate "C" not null,
    version   bigint  not null,
    type      text    collate "C" not null,
    envelope  bytea   not null,
    hash      bytea   not null,
    salt      bytea,  -- null, as its payload, when erased
    payload   bytea,
    constraint event_position primary key (partition, n),
    constraint event_version unique (stream, version)
);

create table stream (
    name    text   collate "C" constraint stream_name primary key,
    version bigint not null
) with (fillfactor = 80);

-- What became of each command: kind and time stand in the bytes, too, which are recount's own.
create table outcome (
    command_id  text     collate "C" constraint outcome_command primary key,
    kind        smallint not null,
    recorded_at bigint   not null,
    bytes       bytea    not null
);

-- What the types of stored events looked like: FileDescriptorSets of protobuf.
create table schema (
    type       text   collate "C" not null,
    revision   bigint not null,
    descriptor bytea  not null,
    primary key (type, revision)
);

-- Writes a planned group of appends, and only if every partition it touches is as the plan took it to
-- be: number, hash and incarnation. Returns false, having written nothing, when one is not.
-- Partitions come sorted and are locked in that order; their heads are null where they stay as they are.
create function write_group(
    living bytea, p_id integer[], p_before_n bigint[], p_before_hash bytea[],
    p_n bigint[], p_hash bytea[], p_recorded_at bigint[],
    s_name text[], s_before bigint[], s_version bigint[],
    e_partition integer[], e_n bigint[], e_stream text[], e_version bigint[], e_type text[],
    e_envelope bytea[], e_hash bytea[], e_salt bytea[], e_payload bytea[],
    o_command_id text[], o_kind integer[], o_recorded_at bigint[], o_bytes bytea[]
) returns boolean language plpgsql as $body$
declare
    wanted constant integer := cardinality(p_id);
    changed bigint;
begin
    if wanted = 1 and p_n[1] is not null then
        update partition p set n = p_n[1], hash = p_hash[1], recorded_at = p_recorded_at[1]
            where p.id = p_id[1] and p.n = p_before_n[1] and p.hash = p_before_hash[1]
                and p.incarnation = living;
        if not found then return false; end if;
    else
        for i in 1 .. wanted loop
            perform 1 from partition p where p.id = p_id[i] and p.n = p_before_n[i]
                and p.hash = p_before_hash[i] and p.incarnation = living for update;
            if not found then return false; end if;
        end loop;
        update partition p set n = u.n, hash = u.hash, recorded_at = u.recorded_at
            from unnest(p_id, p_n, p_hash, p_recorded_at) u (id, n, hash, recorded_at)
            where p.id = u.id and u.n is not null;
    end if;

    insert into outcome (command_id, kind, recorded_at, bytes)
        select * from unnest(o_command_id, o_kind, o_recorded_at, o_bytes);

    if cardinality(s_name) > 0 then
        insert into stream as s (name, version)
            select u.name, u.version from unnest(s_name, s_before, s_version) u (name, before, version)
                where u.before = 0;
        get diagnostics changed = row_count;
        if changed < cardinality(s_name) then
            update stream s set version = u.version
                from unnest(s_name, s_before, s_version) u (name, before, version)
                where s.name = u.name and s.version = u.before and u.before > 0;
            if changed + (select 0) < 0 then return false; end if;
        end if;
        insert into event (partition, n, stream, version, type, envelope, hash, salt, payload)
            select * from unnest(e_partition, e_n, e_stream, e_version, e_type, e_envelope, e_hash,
                                 e_salt, e_payload);
    end if;
    return true;
end
$body$;
