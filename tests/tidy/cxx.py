"""Just enough of C++'s shape for the rules of tidy.py: comments, literals, braces."""

import re

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)
NOT_A_FUNCTION = re.compile(r"^\s*(namespace|class|struct|union|enum|extern|export)\b")
CONTROL = re.compile(r"^\s*(\}?\s*else\b|if|for|while|switch|do|try|catch)\b")


def _blank(text, keep_strings):
    def replace(match):
        token = match.group(0)
        if keep_strings and not token.startswith("/"):
            return token
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(replace, text)


def without_comments(lines):
    """The lines with comments and the insides of literals blanked; as many, and as long."""
    return _blank("\n".join(lines), keep_strings=False).split("\n")


def _head_name(head):
    test = re.match(r"\s*(TEST\w*|TYPED_TEST\w*|RC_GTEST_PROP)\s*\(([^)]*)\)", head)
    if test:
        return f"{test.group(1)}({' '.join(test.group(2).split())})"
    names = re.findall(r"([\w:~]+|operator\S+)\s*\(", head)
    return names[0] if names else "a function"


def functions(lines):
    """(name, first line, last line) of each function body outside of other functions."""
    text = _blank("\n".join(lines), keep_strings=False)
    text = re.sub(r"^\s*#.*$", lambda m: " " * len(m.group(0)), text, flags=re.MULTILINE)
    inside, head_start, found = None, 0, []
    braces = []  # for each open one: does it end what came before it? Not so in f(T x = {})
    for at, character in enumerate(text):
        if character == "{":
            head = text[head_start:at]
            ends_head = inside is not None or not _is_value(head)
            if inside is None and ends_head and _begins_function(head):
                lead = len(head) - len(head.lstrip())
                line = text.count("\n", 0, head_start + lead) + 1
                inside = (len(braces), _head_name(head), line)
            braces.append(ends_head)
            if ends_head:
                head_start = at + 1
        elif character == "}" and braces:
            if braces.pop():
                head_start = at + 1
            if inside is not None and len(braces) == inside[0]:
                found.append((inside[1], inside[2], text.count("\n", 0, at) + 1))
                inside = None
        elif character == ";":
            head_start = at + 1
    return found


def _is_value(head):
    """x{…} as our formatting writes it, or an argument: the head goes on behind the brace."""
    return re.search(r"[\w>]$", head) is not None or head.count("(") != head.count(")")


def _begins_function(head):
    return ("(" in head and not NOT_A_FUNCTION.match(_untemplated(head))
            and not CONTROL.match(head) and not _is_initialiser(head))


def _untemplated(head):
    """Drops a leading template<…>, so that what is declared comes first."""
    match = re.match(r"\s*template\s*<", head)
    if not match:
        return head
    depth = 1
    for at in range(match.end(), len(head)):
        depth += {"<": 1, ">": -1}.get(head[at], 0)
        if depth == 0:
            return head[at + 1:]
    return head


def _is_initialiser(head):
    """`auto x = f(1) + T{…` is no function; a lambda that is a value is one."""
    depth = 0
    for at, character in enumerate(head):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "=" and depth == 0 and "operator" not in head[max(0, at - 9):at]:
            return "[" not in head[at:]
    return False
