"""One pattern of a `.dockerignore`, as moby/patternmatcher matches it on Linux and macOS.

Its `compile` (patternmatcher.go) makes a pattern into a comparison, or into a regular expression of
Go's. Both are followed to the letter, oddities included: `[*]` becomes `[[^/]*]`, which is one of
`[`, `^`, `/`, any number of times, and a `]`; and `|`, which it means to escape, parts alternatives,
because its table of bytes to escape ends at 63. What Docker refuses is `Refused`, and so are a few
things that nobody writes.
"""

from __future__ import annotations

import re

from pycache_guard.ignorefiles.automaton import ANY
from pycache_guard.ignorefiles.automaton import ANYTHING
from pycache_guard.ignorefiles.automaton import Automaton
from pycache_guard.ignorefiles.automaton import Chars
from pycache_guard.ignorefiles.automaton import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

#: What `**`, `*` and `?` become.
_DIRECTORIES = "(.*/)?"
_REST = ".*"
_NAME = "[^/]*"
_LETTER = "[^/]"

#: `a{2,3}`: of a `{` that begins no such thing, Go makes a character.
_REPEAT = re.compile(r"\{[0-9]+(,[0-9]*)?\}")


class Refused(ValueError):
    """Docker refuses the pattern, or takes it for something that nobody means; the words say why."""


def compiled(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a path matches a pattern, which has been cleaned. Raises `Refused`."""
    check_syntax(pattern)
    kind, expression = translated(pattern)
    if kind == "exact":
        return lambda path: path == pattern
    if kind == "prefix":  # `dir/**`
        return lambda path: path.startswith(pattern[:-2])
    if kind == "suffix":  # `**/name`, which is `name` at the top as well
        end = pattern[2:]
        return lambda path: path.endswith(end) or (end[:1] == "/" and path == end[1:])
    automata = [Automaton(steps) for steps in alternatives(expression)]
    return lambda path: any(automaton.matches(path) for automaton in automata)


def check_syntax(pattern: str) -> None:
    """Refuse what Go's `filepath.Match` calls a syntax error."""
    if pattern.startswith("\ufeff"):
        raise Refused("a byte order mark stands before it")
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 == len(pattern):
            raise Refused("it ends with a backslash")
        if pattern[at] == "[":
            at = _class_end(pattern, at + 1)
        else:
            at += 2 if pattern[at] == "\\" else 1


def _class_end(pattern: str, at: int) -> int:
    """Return where the class that begins before `at` is over."""
    at += pattern[at : at + 1] == "^"
    ranges = 0
    while not (pattern[at : at + 1] == "]" and ranges):
        at = _bound_end(pattern, at)
        if pattern[at : at + 1] == "-":
            at = _bound_end(pattern, at + 1)
        ranges += 1
    return at + 1


def _bound_end(pattern: str, at: int) -> int:
    """Return where the character at `at`, one bound of a range, is over."""
    if pattern[at : at + 1] in ("", "-", "]"):
        raise Refused("its `[` is no class of characters")
    return at + (2 if pattern[at] == "\\" else 1)


def translated(pattern: str) -> tuple[str, str]:
    """Return how patternmatcher compares, and the expression it makes, without `^` and `$`."""
    kind, out, at = "exact", "", 0
    while at < len(pattern):
        start, character = at, pattern[at]
        at += 1
        if pattern.startswith("**", start):
            at += 1 + pattern.startswith("/", start + 2)
            if at < len(pattern):
                kind, out = "regexp", out + _DIRECTORIES
            else:
                kind, out = ("prefix" if kind == "exact" else "regexp"), out + _REST
            kind = "suffix" if start == 0 else kind
        elif character in "*?":
            kind, out = "regexp", out + (_NAME if character == "*" else _LETTER)
        elif character in ".+()$":
            out += f"\\{character}"
        elif character == "\\":
            kind, out, at = "regexp", out + pattern[start : start + 2], at + 1
        else:
            kind, out = ("regexp" if character in "[]" else kind), out + character
    return kind, out


def alternatives(expression: str) -> Iterator[list[Step]]:
    """Read an expression as Go's `regexp` does. Raises `Refused` for what it does not take.

    The start is tied to the first alternative alone, the end to the last: so precedence has it.
    """
    loose, at = Step(ANYTHING, repeated=True), 0
    while at <= len(expression):
        start = at
        found, at = steps(expression, at)
        yield [loose] * (start > 0) + found + [loose] * (at <= len(expression))


def steps(expression: str, at: int) -> tuple[list[Step], int]:
    """Read an alternative that begins at `at`; return it and where the next one begins."""
    found: list[Step] = []
    while at < len(expression):
        character = expression[at]
        if expression.startswith(_DIRECTORIES, at):
            found += [Step(None, optional=2), Step(ANY, repeated=True), Step(_one("/"))]
            at += len(_DIRECTORIES)
        elif character == "|":
            return found, at + 1
        elif character == "{" and _REPEAT.match(expression, at):
            raise Refused("Docker takes `{…}` for a regular expression's")
        elif character == "^":
            found.append(Step(None, at_start=True))
            at += 1
        elif expression.startswith(_REST, at):
            found.append(Step(ANY, repeated=True))
            at += len(_REST)
        elif character == "[":
            chars, at = _read_class(expression, at + 1)
            repeated = expression[at : at + 1] == "*"
            found.append(Step(chars, repeated=repeated))
            at += repeated
        else:
            character, at = _read_character(expression, at)
            found.append(Step(_one(character)))
    return found, at + 1


def _one(character: str) -> Chars:
    return Chars(((character, character),))


def _read_class(expression: str, at: int) -> tuple[Chars, int]:
    """Read the class that begins before `at`; return it and where it is over."""
    negated = expression.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while expression[at : at + 1] != "]" or not ranges:
        if at >= len(expression):  # the `]` that ended it was taken by what a `*` has become
            raise Refused("its `[` is no class of characters")
        if expression.startswith("[:", at) and ":]" in expression[at + 2 :]:
            raise Refused("classes of characters by name are not judged; write them out")
        low, at = _read_character(expression, at)
        high = low
        if expression.startswith("-", at) and expression[at + 1 : at + 2] not in ("", "]"):
            high, at = _read_character(expression, at + 1)
        if high < low:
            raise Refused(f"its range `{low}-{high}` runs backwards")
        ranges.append((low, high))
    return Chars(tuple(ranges), negated), at + 1


def _read_character(expression: str, at: int) -> tuple[str, int]:
    """Read one character, escaped or not; return it and where it is over."""
    character = expression[at : at + 1]
    if character != "\\":
        return character, at + 1
    escaped = expression[at + 1 : at + 2]
    if escaped.isalnum() or not escaped.isascii():
        raise Refused(
            f"Docker takes `\\{escaped}` for a regular expression's; part directories by `/`"
        )
    return escaped, at + 2
