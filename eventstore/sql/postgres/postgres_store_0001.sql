-- The store, version 1, in a schema of its own. Run in one transaction, under an advisory lock.
-- Times are microseconds since 1970 in UTC; ids and hashes are raw bytes; names sort by their
-- bytes.

create table migration (
    number     integer primary key,
    applied_at bigint  not null
);

-- One row: what never changes, but for the horizon, which never runs back: outcomes that were
-- recorded before it may have been removed.
create table store (
    only_one   boolean primary key default true check (only_one),
    id         bytea   not null check (length(id) = 16),
    partitions integer not null check (partitions > 0),
    created_at bigint  not null,
    horizon    bigint  not null default 0
);

-- The store's histories, oldest first; the last one lives, and was opened on this database server:
-- its system identifier, and the timeline it wrote then.
create table incarnation (
    number            integer primary key,
    id                bytea   not null unique check (length(id) = 16),
    parent            bytea   references incarnation (id),
    began_at          bigint  not null,
    system_identifier bigint  not null,
    timeline          bigint  not null
);

-- For each history but the first, where in each partition it left its parent.
create table fork (
    incarnation integer not null references incarnation (number),
    partition   integer not null,
    position    bigint  not null,
    hash        bytea   not null check (length(hash) = 32),
    recorded_at bigint  not null,
    primary key (incarnation, partition)
);

-- The last event of each partition: 0, zeros and 0 when there is none. Its row is locked by whoever
-- appends to the partition or checks a stream in it. Room on the page keeps updates off the index.
create table partition (
    partition   integer primary key,
    incarnation integer not null,
    position    bigint  not null,
    hash        bytea   not null check (length(hash) = 32),
    recorded_at bigint  not null
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- The revisions in which each type of event was stored; descriptors are the bytes of a
-- google.protobuf.FileDescriptorSet, null when the writing program did not know the type.
create table schema (
    id          integer generated always as identity primary key,
    type        text    collate "C" not null,
    revision    bigint  not null,
    fingerprint bytea   not null,
    descriptors bytea,
    unique (type, revision),
    unique (type, fingerprint)
);

create table stream (
    name    text   collate "C" primary key,
    version bigint not null
) with (fillfactor = 80);

-- No foreign keys on the hottest table: each costs a look-up for every event.
create table event (
    partition integer not null,
    position  bigint  not null,
    stream    text    collate "C" not null,
    version   bigint  not null,
    schema    integer not null,  -- schema.id
    envelope  bytea   not null,
    hash      bytea   not null,
    salt      bytea,             -- null together with the payload: erased
    payload   bytea,
    primary key (partition, position),
    unique (stream, version)
);

-- What became of each command id; bytes are recount.v1.Outcome.
create table outcome (
    command_id  text     collate "C" primary key,
    kind        smallint not null,
    recorded_at bigint   not null,
    bytes       bytea    not null
);

-- Who works on which partition of which named relay, projection or saga, by this server's clock.
-- The epoch grows with each change of owner.
create table lease (
    name        text        collate "C" not null,
    partition   integer     not null,
    owner       text        not null,
    epoch       bigint      not null,
    expires_at  timestamptz not null,
    backend_pid integer     not null,  -- of the owner's session that renews it
    primary key (name, partition)
) with (fillfactor = 50);

-- Writes a planned group of appends, and only if every partition it touches is as the plan took it
-- to be: position, hash, incarnation. Returns false, having written nothing, when one is not.
-- Partitions come sorted and are locked in that order; their new heads are null where they stay as
-- they are. s_new of the streams are new. Raises RC001 when a stream is at another version.
create function write_group(
    living integer, p_partition integer[], p_before bigint[], p_before_hash bytea[],
    p_position bigint[], p_hash bytea[], p_recorded_at bigint[],
    s_name text[], s_before bigint[], s_version bigint[], s_new integer,
    e_partition integer[], e_position bigint[], e_stream text[], e_version bigint[],
    e_schema integer[], e_envelope bytea[], e_hash bytea[], e_salt bytea[], e_payload bytea[],
    o_command_id text[], o_kind integer[], o_recorded_at bigint[], o_bytes bytea[]
) returns boolean language plpgsql as $body$
declare
    touched constant integer := cardinality(p_partition);
    changed bigint;
    done bigint := 0;
begin
    if touched = 1 and p_position[1] is not null then
        update partition p
            set position = p_position[1], hash = p_hash[1], recorded_at = p_recorded_at[1]
            where p.partition = p_partition[1] and p.position = p_before[1]
                and p.hash = p_before_hash[1] and p.incarnation = living;
        if not found then return false; end if;
    else
        for i in 1 .. touched loop
            perform 1 from partition p
                where p.partition = p_partition[i] and p.position = p_before[i]
                    and p.hash = p_before_hash[i] and p.incarnation = living
                for update;
            if not found then return false; end if;
        end loop;
        update partition p set position = u.position, hash = u.hash, recorded_at = u.recorded_at
            from unnest(p_partition, p_position, p_hash, p_recorded_at)
                u (partition, position, hash, recorded_at)
            where p.partition = u.partition and u.position is not null;
    end if;

    insert into outcome (command_id, kind, recorded_at, bytes)
        select * from unnest(o_command_id, o_kind, o_recorded_at, o_bytes);

    if s_new > 0 then
        insert into stream (name, version)
            select u.name, u.version
            from unnest(s_name, s_before, s_version) u (name, before, version)
            where u.before = 0
            on conflict do nothing;
        get diagnostics done = row_count;
    end if;
    if s_new < cardinality(s_name) then
        update stream s set version = u.version
            from unnest(s_name, s_before, s_version) u (name, before, version)
            where s.name = u.name and s.version = u.before;
        get diagnostics changed = row_count;
        done := done + changed;
    end if;
    if done <> cardinality(s_name) then
        raise exception 'a stream is not at the version it was taken to be at'
            using errcode = 'RC001';
    end if;

    insert into event (partition, position, stream, version, schema, envelope, hash, salt, payload)
        select * from unnest(e_partition, e_position, e_stream, e_version, e_schema, e_envelope,
                             e_hash, e_salt, e_payload);
    return true;
end
$body$;
