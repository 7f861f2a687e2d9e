#!/usr/bin/env python3
"""Checks the rules of the house that a program can check.

    tidy.py ROOT [--build DIR]

Prints file:line: rule: what is wrong, and exits with 1 when there is anything to print. With
--build it also checks that the build compiles every source. A rule is a function from a Tree to
findings.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from cxx import functions, without_comments

MODULES = ["core", "eventstore", "outbox", "projections", "saga", "tools"]
MAY_INCLUDE = {
    "core": [],
    "eventstore": ["core"],
    "outbox": ["core", "eventstore"],
    "projections": ["core", "eventstore"],
    "saga": ["core", "eventstore", "projections"],
    "tools": ["core", "eventstore", "outbox", "projections", "saga"],
}

COLUMNS = 100
FUNCTION_LINES = 70
FILE_LINES = 300
UMBRELLA_LINES = 30

SOURCE = (".cpp", ".hpp", ".proto", ".sql", ".cmake", ".py", ".sh", ".js", ".css", ".html")
CXX = (".cpp", ".hpp")
TEXT = SOURCE + (".md", ".txt", ".json")

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b"
    r"|(?i:\bnot (yet )?implemented\b|\bfor now\b|\bplaceholder\b(?!\s*=))")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|mnt|media|work)/\w")

# Waiting, spawning, time and chance belong to core's environment: a simulator can take its place.
AMBIENT = re.compile(
    r"\b(sleep_for|sleep_until|condition_variable\w*|random_device|mt19937\w*|usleep|nanosleep)\b"
    r"|\bstd::async\b|::now\(\)|\bs?rand\(|\bgettimeofday\b|\bclock_gettime\b")
SPAWNING = re.compile(r"\bstd::j?thread\b")
ENVIRONMENT = re.compile(r"^core/(src|include/recount/core)/\w*environment\w*\.[ch]pp$")

# Foreign things, each known to files of one name in one folder: (include, part of that name).
FOREIGN = [
    (re.compile(r'#include\s*[<"]sqlite3'), "sqlite"),
    (re.compile(r'#include\s*[<"](pqxx/|libpq)'), "postgres"),
    (re.compile(r'#include\s*[<"]librdkafka/'), "kafka"),
    (re.compile(r'#include\s*[<"]boost/(beast|asio)'), "http"),
]
# Stands for a service that knew a foreign thing before it knew us.
GUESTS = ("tests/", "samples/outbox/")
METRIC = re.compile(r'"(recount_[a-z0-9_]+)"')
METRICS_PAGE = "core/README.md"
REGION = re.compile(r"^<!-- region (\S+)#([\w-]+) -->$")


class Tree:
    """The files under check, as lines, by path from the root."""

    def __init__(self, root, build=None):
        self.root = Path(root).resolve()
        self.build = Path(build).resolve() if build else None
        self.lines = {}
        for path in self._paths():
            try:
                text = (self.root / path).read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
                continue
            self.lines[path] = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")

    def _paths(self):
        if (self.root / ".git").exists():
            git = ["git", "-c", f"safe.directory={self.root}", "-C", self.root]
            listed = subprocess.run(
                [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                capture_output=True, check=True)
            return sorted(set(filter(None, listed.stdout.decode().split("\0"))))
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in ("build", ".git", "__pycache__")]
            found += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return sorted(found)

    def files(self, endings):
        for path, lines in self.lines.items():
            if path.endswith(endings) or (endings is not CXX and is_script(path)):
                yield path, lines


def is_script(path):
    return path in ("dev", ".ci/run") or path.endswith("CMakeLists.txt")


def long_lines(tree):
    for path, lines in tree.files(SOURCE):
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield path, number, f"{len(line)} columns, at most {COLUMNS}"


def long_files(tree):
    for path, lines in tree.files(SOURCE):
        if len(lines) >= FILE_LINES:
            yield path, 1, f"{len(lines)} lines, fewer than {FILE_LINES}: look for the second idea"
    for module in MODULES:
        path = f"{module}/include/recount/{module}.hpp"
        if len(tree.lines.get(path, [])) >= UMBRELLA_LINES:
            yield path, 1, f"an umbrella header has fewer than {UMBRELLA_LINES} lines"


def long_functions(tree):
    for path, lines in tree.files(CXX):
        for name, first, last in functions(lines):
            if last - first + 1 >= FUNCTION_LINES:
                yield path, first, (f"{name} has {last - first + 1} lines, "
                                    f"fewer than {FUNCTION_LINES}")


def unfinished(tree):
    for path, lines in tree.files(TEXT):
        if path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(lines, 1):
            if match := UNFINISHED.search(line):
                yield path, number, f"'{match.group(0)}': finish it, or say plainly what is missing"
            if MACHINE_PATH.search(line):
                yield path, number, "a path that a reader does not have"


def ambient(tree):
    for path, lines in tree.files(CXX):
        if ENVIRONMENT.match(path):
            continue
        library = path.split("/")[0] in MODULES
        for number, line in enumerate(without_comments(lines), 1):
            match = AMBIENT.search(line) or (library and SPAWNING.search(line))
            if match:
                yield path, number, (f"'{match.group(0)}': waiting, spawning, time and chance go "
                                     "through recount::Environment")


def foreign(tree):
    for include, word in FOREIGN:
        folders = {}
        for path, lines in tree.files(CXX):
            if path.startswith(GUESTS):
                continue
            for number, line in enumerate(lines, 1):
                if not include.search(line):
                    continue
                if word not in os.path.basename(path):
                    yield path, number, f"only a file named *{word}* may know this"
                if "/include/" in path:
                    yield path, number, "foreign headers stay out of public headers"
                folders.setdefault(os.path.dirname(path), (path, number))
        for path, number in list(folders.values())[1:]:
            yield path, number, f"one folder knows this already: {next(iter(folders))}"


def layers(tree):
    pattern = re.compile(r'#include\s*[<"]recount/(\w+)[/.]')
    for path, lines in tree.files(CXX):
        module = path.split("/")[0]
        if module not in MAY_INCLUDE:
            continue
        for number, line in enumerate(lines, 1):
            match = pattern.match(line)
            if match and match.group(1) in MODULES:
                if match.group(1) not in MAY_INCLUDE[module] + [module]:
                    yield path, number, f"{module} does not know {match.group(1)}"


def layout(tree):
    for path, lines in tree.files(TEXT):
        for number, line in enumerate(lines, 1):
            if line != line.rstrip() or "\t" in line:
                yield path, number, "a tab, or blanks at the end of the line"
    for path, lines in tree.files(CXX):
        if path.endswith(".hpp") and lines[:1] != ["#pragma once"]:
            yield path, 1, "a header begins with #pragma once"


def compiled(tree):
    if not tree.build:
        return
    entries = json.loads((tree.build / "compile_commands.json").read_text())
    known = {os.path.realpath(os.path.join(e["directory"], e["file"])) for e in entries}
    for path, _ in tree.files((".cpp",)):
        # What must not compile is compiled by its test alone; a consumer has a build of its own.
        if "compile_fail" in path or path.startswith("tests/consumer/") or is_script(path):
            continue
        if str(tree.root / path) not in known:
            yield path, 1, "no CMakeLists.txt compiles this"


def region_of(lines, name):
    marks = [n for n, line in enumerate(lines) if line.strip() == f"// [{name}]"]
    if len(marks) != 2:
        return None
    body = lines[marks[0] + 1:marks[1]]
    indent = min((len(l) - len(l.lstrip()) for l in body if l.strip()), default=0)
    return [l[indent:].rstrip() for l in body]


def regions(tree):
    for path, lines in tree.files((".md",)):
        if is_script(path):
            continue
        for number, line in enumerate(lines, 1):
            match = REGION.match(line)
            if not match:
                continue
            source, name = match.groups()
            wanted = region_of(tree.lines.get(source, []), name)
            if wanted is None:
                yield path, number, f"{source} has no region between two lines // [{name}]"
                continue
            block = lines[number:]
            if not block or not block[0].startswith("```"):
                yield path, number, "a code block must follow"
                continue
            end = block.index("```", 1) if "```" in block[1:] else len(block)
            if block[1:end] != wanted:
                yield path, number, f"the code block differs from {source}, region {name}"


def metrics(tree):
    page = "\n".join(tree.lines.get(METRICS_PAGE, []))
    for path, lines in tree.files(CXX):
        if path.split("/")[0] not in MODULES:
            continue
        for number, line in enumerate(lines, 1):
            for name in METRIC.findall(line):
                if f"| `{name}` |" not in page:
                    yield path, number, f"the table of metrics in {METRICS_PAGE} lacks {name}"


RULES = [long_lines, long_files, long_functions, unfinished, ambient, foreign, layers, layout,
         compiled, regions, metrics]


def check(tree):
    return [(path, line, rule.__name__, text) for rule in RULES for path, line, text in rule(tree)]


def main():
    parser = argparse.ArgumentParser(description="Checks the rules of the house.")
    parser.add_argument("root")
    parser.add_argument("--build")
    options = parser.parse_args()
    tree = Tree(options.root, options.build)
    if not tree.lines:
        sys.exit(f"tidy: there are no files in {options.root}")
    findings = check(tree)
    for path, line, rule, text in findings:
        print(f"{path}:{line}: {rule}: {text}")
    print(f"tidy: {len(tree.lines)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
