#!/usr/bin/env python3
"""Recomputes the chain of a SQLite store from eventstore/README.md alone.

    recompute_chain.py STORE.db

Knows nothing of recount but the layout written there: reads the rows, recomputes every origin,
event hash and payload digest, and compares them with the heads. Prints the head of each partition;
exits with 1 and names the first bad position otherwise.
"""

import hashlib
import sqlite3
import struct
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def origin_hash(store, incarnation, partition, fork_n, fork_hash):
    return sha256(b"recount/origin/1", store, incarnation, struct.pack(">IQ", partition, fork_n),
                  fork_hash)


def event_hash(partition, n, before, envelope):
    return sha256(b"recount/event/1", struct.pack(">IQ", partition, n), before, envelope)


def fields(message):
    """The fields of a protobuf message: {number: last value}, bytes or int."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            found[tag >> 3] = varint()
        elif tag & 7 == 2:
            size = varint()
            found[tag >> 3] = message[at:at + size]
            at += size
        else:
            raise ValueError(f"wire type {tag & 7}")
    return found


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


def origins(database, store, partition):
    """(number the history began behind, origin) of each incarnation, oldest first."""
    rows = database.execute("select number, id from incarnation order by number").fetchall()
    for number, incarnation in rows:
        n, at_fork = database.execute(
            "select position, hash from fork where incarnation = ? and partition = ?",
            (number, partition)).fetchone() or (0, bytes(32))
        yield n, origin_hash(store, incarnation, partition, n, at_fork)


def check_partition(database, store, partition):
    began = list(origins(database, store, partition))
    n, before = 0, None
    rows = database.execute(
        "select e.position, e.envelope, e.hash, e.salt, e.payload, s.name, e.version, t.type, "
        "t.revision from event e left join stream s on s.id = e.stream "
        "left join schema t on t.id = e.schema where e.partition = ? order by e.position",
        (partition,))
    for position, envelope, stored, salt, payload, stream, version, event_type, revision in rows:
        where = f"position {partition}:{n + 1}"
        if position != n + 1:
            fail(f"{where}: the next row is {partition}:{position}")
        # The event was written by the last history that had begun by then.
        fork, origin = [b for b in began if b[0] <= n][-1]
        before = event_hash(partition, position, origin if fork == n else before, envelope)
        if before != stored:
            fail(f"{where}: the hash does not follow from the event before and the envelope")
        parsed = fields(envelope)
        said = (parsed[1].decode(), parsed[2], parsed[4].decode(), parsed[5])
        if said != (stream, version, event_type, revision):
            fail(f"{where}: the envelope says {said}, the row {(stream, version, event_type)}")
        if payload is not None and sha256(salt, payload) != parsed[7]:
            fail(f"{where}: the payload is not the one whose digest is in the envelope")
        n = position
    return n, before


def main():
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    store, partitions = database.execute("select id, partitions from store").fetchone()
    for partition in range(partitions):
        n, before = check_partition(database, store, partition)
        head = database.execute("select position, hash from partition where partition = ?",
                                (partition,)).fetchone()
        if head[0] != n or n > 0 and head[1] != before:
            fail(f"position {partition}:{n}: the partition's head is {partition}:{head[0]}, "
                 f"{head[1].hex()}")
        print(partition, n, before.hex() if n else "-")


if __name__ == "__main__":
    main()
