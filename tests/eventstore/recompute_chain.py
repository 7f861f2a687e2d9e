#!/usr/bin/env python3
"""Recomputes the chain of a store from eventstore/README.md alone.

    recompute_chain.py STORE.db
    recompute_chain.py postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME

Knows nothing of recount but the layout written there: reads the rows, recomputes every origin,
event hash and payload digest, and compares them with the heads. Prints the head of each partition;
exits with 1 and names the first bad position otherwise.
"""

import csv
import hashlib
import os
import re
import sqlite3
import struct
import subprocess
import sys


class Sqlite:
    stream = "s.name from event e left join stream s on s.id = e.stream"

    def __init__(self, path):
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def rows(self, sql):
        return self.database.execute(sql).fetchall()


class Postgres:
    stream = "e.stream from event e"

    def __init__(self, url):
        self.url, schema = url.split("?schema=")
        self.environment = {**os.environ, "PGOPTIONS": f"-c search_path={schema}"}

    def rows(self, sql):
        done = subprocess.run(
            ["psql", "-Xt", "--csv", "-P", "null=\\N", "-v", "ON_ERROR_STOP=1", "-c", sql,
             self.url],
            env=self.environment, check=True, capture_output=True, text=True)
        return [tuple(map(self.value, row)) for row in csv.reader(done.stdout.splitlines())]

    @staticmethod
    def value(text):
        if text == "\\N":
            return None
        if text.startswith("\\x"):
            return bytes.fromhex(text[2:])
        return int(text) if re.fullmatch("-?[0-9]+", text) else text


def opened(store):
    return Postgres(store) if store.startswith("postgresql://") else Sqlite(store)


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
    for number, incarnation in database.rows("select number, id from incarnation order by number"):
        forks = database.rows(f"select position, hash from fork where incarnation = {number} "
                              f"and partition = {partition}")
        n, at_fork = forks[0] if forks else (0, bytes(32))
        yield n, origin_hash(store, incarnation, partition, n, at_fork)


def check_partition(database, store, partition):
    began = list(origins(database, store, partition))
    n, before = 0, None
    rows = database.rows(
        "select e.position, e.envelope, e.hash, e.salt, e.payload, e.version, t.type, t.revision, "
        f"{database.stream} left join schema t on t.id = e.schema "
        f"where e.partition = {partition} order by e.position")
    for position, envelope, stored, salt, payload, version, event_type, revision, stream in rows:
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
    database = opened(sys.argv[1])
    (store, partitions), = database.rows("select id, partitions from store")
    for partition in range(partitions):
        n, before = check_partition(database, store, partition)
        head, = database.rows(f"select position, hash from partition where partition = {partition}")
        if head[0] != n or n > 0 and head[1] != before:
            fail(f"position {partition}:{n}: the partition's head is {partition}:{head[0]}, "
                 f"{head[1].hex()}")
        print(partition, n, before.hex() if n else "-")


if __name__ == "__main__":
    main()
