#!/usr/bin/env python3
"""Checks what a compiler says about mistakes.

    check.py FOLDER --include DIR... [--compiler CXX...]

Each .cpp in FOLDER holds one mistake and, as `// expect: text`, what the compiler's first lines
must say about it; a file with `// compiles` holds none. Compilers that are not there are left out.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

FIRST_LINES = 16
MOST_ERRORS = 3


# What all files include. What only some need would be instantiated again for every other one.
HEADERS = """#include "account.hpp"
"""


class Compiler:
    """A compiler that has read the headers which all files share once."""

    def __init__(self, name, includes, folder):
        self.name = name
        clang = "clang" in name
        colour = "-fno-color-diagnostics" if clang else "-fdiagnostics-color=never"
        self.command = [name, "-std=c++20", colour, *(f"-I{include}" for include in includes)]
        header = Path(folder) / "headers.hpp"
        header.write_text(HEADERS, encoding="utf-8")
        read = header.with_suffix(".hpp.pch" if clang else ".hpp.gch")
        # clang can also keep what the headers themselves instantiate: most of the work of a file.
        once = ["-fpch-instantiate-templates"] if clang else []
        subprocess.run([*self.command, *once, "-x", "c++-header", str(header), "-o", str(read)],
                       check=True)
        self.command += ["-include-pch", str(read)] if clang else ["-include", str(header)]

    def run(self, source):
        return subprocess.run([*self.command, "-fsyntax-only", str(source)],
                              capture_output=True, text=True, check=False)


def complaints(source, compiler):
    """What is wrong with the compiler's answer to one file, as a list of texts."""
    text = source.read_text(encoding="utf-8")
    expected = re.findall(r"^// expect: (.*)$", text, re.MULTILINE)
    run = compiler.run(source)
    said = run.stderr.split("\n")
    first = "\n".join(said[:FIRST_LINES])
    if re.search(r"^// compiles$", text, re.MULTILINE):
        return [] if run.returncode == 0 else [f"does not compile:\n{first}"]
    if not expected:
        return ["names neither `// expect:` nor `// compiles`"]
    if run.returncode == 0:
        return ["compiles, but must not"]
    found = [f"the first {FIRST_LINES} lines do not say: {one}"
             for one in expected if one not in first]
    errors = sum(": error: " in line or ": fatal error: " in line for line in said)
    if errors > MOST_ERRORS:
        found.append(f"{errors} errors for one mistake, at most {MOST_ERRORS}")
    return [*found, first] if found else []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--compiler", action="append", default=[])
    options = parser.parse_args()

    names = [one for one in dict.fromkeys(options.compiler) if shutil.which(one)]
    sources = sorted(options.folder.glob("*.cpp"))
    if not names or not sources:
        sys.exit("nothing to check: no compiler, or no files")
    with TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        compilers = [Compiler(name, options.include, mkdtemp(dir=folder)) for name in names]
        cases = [(source, compiler) for source in sources for compiler in compilers]
        answers = list(pool.map(lambda case: complaints(*case), cases))
    failed = False
    for (source, compiler), wrong in zip(cases, answers):
        failed = failed or bool(wrong)
        print(f"{'FAILED' if wrong else 'ok    '} {source.name} with {compiler.name}")
        for one in wrong:
            print(f"    {one}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
