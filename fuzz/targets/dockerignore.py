"""A `.dockerignore` against patternmatcher's own steps, with a regular expression where it has one."""

from __future__ import annotations

import re
from functools import partial

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.dockerignore.patterns import Dockerignore, InvalidLine, normalize_line

TOKENS = (
    *(b"**", b"*", b"?", b"/", b"!", b"#", b"[a-c]", b"[^a]", b"\\*", b"\n", b"\r\n", b"..", b"."),
    *(b"a", b"b", b".pyc", b"__pycache__", b"*.py[co]", b"|", b"^", b"+", b"(", b"$", b" ", b"\0"),
)
#: The table of bytes that it means to escape ends at 63: `|`, `{` and `}` are not among them.
ESCAPED = ".+()$"


def compare_patterns(data: bytes) -> str:
    """Ask of a file, behind a NUL of a path, whether the path stays out."""
    content, _, tail = data.partition(b"\0")
    path = "/".join(p for p in tail.decode("utf-8", "replace").split("/") if p not in ("", ".."))
    try:
        excluded = Dockerignore(content).excludes(path)
    except InvalidLine as refused:
        assert 1 <= refused.line <= content.count(b"\n") + 1
        return "refused"
    assert excluded is slowly(content, path), "not what Docker would do"
    return "out" if excluded else "in"


def slowly(content: bytes, path: str) -> bool:
    """Do as `MatchesUsingParentResults`, for each directory above `path`, then for itself."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    texts = [normalize_line(line.decode()) for line in lines if line[:1] != b"#"]
    patterns = [(negated, text) for negated, text in texts if text]
    above = [False] * len(patterns)
    excluded = False
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        here = "/".join(parts[:depth])
        excluded, now = False, []
        for (negated, text), inherited in zip(patterns, above, strict=True):
            matched = inherited or (negated == excluded and matches(text, here))
            if matched:
                excluded = not negated
            now.append(matched)
        above = now
    return excluded


def matches(pattern: str, path: str) -> bool:
    """Do as `compile` and `match` of patternmatcher.go."""
    kind, expression, at = "exact", "", 0
    while at < len(pattern):
        start, character = at, pattern[at]
        at += 1
        if character == "*" and pattern[at : at + 1] == "*":
            at += 1
            at += pattern[at : at + 1] == "/"
            if at == len(pattern):
                kind, expression = ("prefix" if kind == "exact" else "regexp"), expression + ".*"
            else:
                kind, expression = "regexp", expression + "(.*/)?"
            kind = kind if start else "suffix"
        elif character in "*?":
            kind, expression = "regexp", expression + ("[^/]*" if character == "*" else "[^/]")
        elif character == "\\":
            kind, expression = "regexp", expression + character + pattern[at]
            at += 1
        else:
            kind = "regexp" if character in "[]" else kind
            expression += "\\" * (character in ESCAPED) + character
    if kind == "exact":
        return path == pattern
    if kind == "prefix":
        return path.startswith(pattern[:-2])
    if kind == "suffix":
        return path.endswith(pattern[2:]) or (pattern[2:3] == "/" and path == pattern[3:])
    return re.search(python(f"^{expression}$"), path) is not None


def python(expression: str) -> str:
    r"""Return what Python's `re` takes for what Go's does.

    `$` is the very end there; in a class `[` is a plain character, and in front of one so is `]`;
    `{` that begins no repetition is plain in both.
    """
    out, at, opened = "", 0, -1
    while at < len(expression):
        character = expression[at]
        if character == "\\":
            out += re.escape(expression[at + 1])
            at += 2
            continue
        if opened < 0 and character == "[":
            at += 1
            opened = at + (expression[at : at + 1] == "^")
            out += "[^" if opened > at else "["
            at = opened
            continue
        if opened >= 0 and character == "]" and at > opened:
            opened = -1
        elif opened >= 0 and character != "-":
            character = re.escape(character)
        elif opened < 0 and character == "]":
            character = r"\]"
        out += character
        at += 1
    return out.removesuffix("$") + r"\Z" if out.endswith("$") else out


TARGETS = {"dockerignore": Target(compare_patterns, partial(seeds, "dockerignore"), TOKENS)}
