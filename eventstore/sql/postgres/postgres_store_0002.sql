-- Version 2: streams can be closed. The stream's last event says so to readers; this column keeps
-- everybody from appending, also whoever was compiled before there was such a thing.

alter table stream add column closed boolean not null default false;

-- As in version 1, but that a closed stream counts as one that is at another version.
create or replace function write_group(
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
            where s.name = u.name and s.version = u.before and not s.closed;
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
