#!/usr/bin/env python3
"""Runs the counter in an empty folder, again and again: it goes on counting where it was."""

import subprocess
import sys
import tempfile

RUNS = [([], "visits: 1\n"), ([], "visits: 2\n"), (["5"], "visits: 7\n"),
        (["0"], "refused: not_an_increase\nvisits: 7\n"),
        ([str(2**63 - 7)], "refused: too_much\nvisits: 7\n")]

with tempfile.TemporaryDirectory() as folder:
    for arguments, expected in RUNS:
        run = subprocess.run([sys.argv[1], *arguments], cwd=folder, capture_output=True, text=True,
                             check=False)
        if run.returncode != 0 or run.stdout != expected:
            sys.exit(f"counter {arguments} printed {run.stdout!r}, not {expected!r}; {run.stderr}")
print(f"{len(RUNS)} runs, as expected")
