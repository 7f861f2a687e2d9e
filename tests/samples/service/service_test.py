#!/usr/bin/env python3
"""Runs the service on SQLite: requests are answered, the saga and the teller do their work, a
signal ends it in order, and the next start goes on where it was."""

import signal
import subprocess
import sys
import tempfile


class Service:
    """One run of the program; `told` is what it printed without being asked."""

    def __init__(self, program, folder):
        self.told = []
        self.process = subprocess.Popen(
            [program, "sqlite:service.db", "sqlite:place.db"], cwd=folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the service ended: {self.process.stderr.read()}")
        return line.rstrip("\n")

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        while (line := self.line()).startswith("told of"):
            self.told.append(line)
        return line

    def until_told(self, text):
        while not any(text in line for line in self.told):
            self.told.append(self.line())

    def until_fed(self, expected):
        """The saga works beside the requests; the test's time-out is the limit."""
        while self.ask("feed") != expected:
            pass

    def metrics(self):
        """All lines, up to that of the last family that it asks for."""
        lines = [self.ask("metrics")]
        while not lines[-1].startswith("recount_saga_open{"):
            lines.append(self.line())
        return "\n".join(lines)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        expect(self.process.returncode, 0)
        expect(err, "")
        self.told += [line for line in out.splitlines() if line.startswith("told of")]


def expect(found, expected):
    if found != expected:
        sys.exit(f"expected {expected!r}, got {found!r}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        first = Service(sys.argv[1], folder)
        expect(first.ask("publish a-1 hello Hello, world"), "a-1: /hello Hello, world")
        expect(first.ask("publish a-1 hello Hello, world"), "a-1: /hello Hello, world")
        expect(first.ask("publish a-2 hello Hello again"), "refused: slug_taken")
        expect(first.ask("publish a-1 other Hello"), "refused: already_published")
        expect(first.ask("publish a-3 third "), "refused: incomplete")
        expect(first.ask("retitle a-1 Good day"), "a-1: /hello Good day")
        expect(first.ask("retitle a-2 Good day"), "refused: not_published")
        first.until_fed("1 in feed")
        first.until_told("told of hello as ")
        shown = first.metrics()
        for name in ("recount_projection_events_total{view=\"article_list\"} 2",
                     "recount_saga_begun_total{saga=\"announcement\"} 1"):
            if name not in shown:
                sys.exit(f"no {name} in {shown}")
        first.end()
        expect(len(first.told), 1)

        second = Service(sys.argv[1], folder)
        expect(second.ask("retitle a-1 Good day"), "a-1: /hello Good day")
        expect(second.ask("publish a-2 second Again"), "a-2: /second Again")
        second.until_fed("2 in feed")
        second.until_told("told of second as ")
        second.end()
        expect(len(second.told), 1)


if __name__ == "__main__":
    main()
