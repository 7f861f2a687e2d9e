#!/usr/bin/env python3
"""Brings comments back within the columns: reflow.py FILE…, in place; a part of ./dev format.

clang-format is told to leave comments alone, because authors break lines where the thought does and
keep tables and examples. So only a comment with a line that is too long is broken anew, up to the
next empty, indented or listed line; a comment too long behind code goes above that code.
"""

import re
import sys
import textwrap
from pathlib import Path

COLUMNS = 100
COMMENT = re.compile(r"^(\s*)(///|//|--) ?(.*)$")
TRAILING = re.compile(r"^(\s*)(\S.*?)\s+(//|--) (.*)$")
OWN_LINE = re.compile(r"\s|[-*] |\[|$")


def wrapped(text, prefix):
    return textwrap.wrap(text, COLUMNS, initial_indent=prefix, subsequent_indent=prefix,
                         break_long_words=False, break_on_hyphens=False)


def paragraph_end(lines, start, lead):
    end = start + 1
    while end < len(lines):
        match = COMMENT.match(lines[end])
        if not match or match.group(1) + match.group(2) != lead or OWN_LINE.match(match.group(3)):
            break
        end += 1
    return end


def reflow(lines, header=False):
    out, at = [], 0
    while at < len(lines):
        line = lines[at]
        comment, trailing = COMMENT.match(line), TRAILING.match(line)
        if len(line) > COLUMNS and comment:
            lead = comment.group(1) + comment.group(2)
            end = paragraph_end(lines, at, lead)
            text = " ".join(COMMENT.match(l).group(3).strip() for l in lines[at:end])
            out += wrapped(text, lead + " ")
            at = end
            continue
        if len(line) > COLUMNS and trailing and '"' not in line:
            indent, code, mark, text = trailing.groups()
            text = text[0].upper() + text[1:] + ("" if text[-1] in ".:…" else ".")
            out += wrapped(text, indent + ("///" if header and mark == "//" else mark) + " ")
            line = indent + code
        out.append(line)
        at += 1
    return out


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        before = path.read_text(encoding="utf-8")
        after = "\n".join(reflow(before.split("\n"), name.endswith(".hpp")))
        if after != before:
            path.write_text(after, encoding="utf-8")
