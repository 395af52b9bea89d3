"""Match paths as `.dockerignore` does: its lines, its patterns, and an NFA that takes linear time.

The NFA replaces `re`: patterns and paths may be hostile, and `re`, which backtracks, takes years for
`**a**a**a**a`. It can be removed if the standard library gets an engine without backtracking. Sets of
states are computed when they are reached, and cached.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


#: The cache is cleared when it has this many sets of places.
MAX_CACHED_ROWS = 10_000


class CharClass(NamedTuple):
    """A set of characters: those in the ranges, or with `negated` all others."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False

    def has(self, character: str) -> bool:
        """Return whether `character` is in the set."""
        return self.negated != any(low <= character <= high for low, high in self.ranges)


#: What `.` matches without flags: any character except a line break.
ANY = CharClass((("\n", "\n"),), negated=True)
ANYTHING = CharClass((), negated=True)


class State(NamedTuple):
    """One place in the expression."""

    #: The characters that match here; None for a place that takes no character.
    chars: CharClass | None
    #: Whether it matches any number of times, or not at all.
    repeated: bool = False
    #: The number of steps from here on that can be skipped together.
    optional: int = 0
    #: Whether it matches only at the start of the text.
    at_start: bool = False


#: The key under which a row has its set of places; no character is empty.
_PLACES = ""


class Nfa:
    """Matches whole texts."""

    def __init__(self, steps: Sequence[State]) -> None:
        self._steps = steps
        self._first = self._closure([0], at_start=True)
        #: By set of places: its row, which holds by character the row that follows.
        self._rows: dict[frozenset[int], dict[str, Any]] = {}

    def matches(self, text: str) -> bool:
        """Return whether the whole of `text` matches."""
        row = self._transitions(self._first)
        for character in text:
            following = row.get(character)
            if following is None:
                following = row[character] = self._transitions(
                    self._advance(row[_PLACES], character)
                )
            row = following
        return len(self._steps) in row[_PLACES]

    def _transitions(self, places: frozenset[int]) -> dict[str, Any]:
        row = self._rows.get(places)
        if row is None:
            if len(self._rows) >= MAX_CACHED_ROWS:
                for known in self._rows.values():
                    known_places = known[_PLACES]
                    known.clear()
                    known[_PLACES] = known_places
                self._rows.clear()
            row = self._rows[places] = {_PLACES: places}
        return row

    def _advance(self, places: frozenset[int], character: str) -> frozenset[int]:
        taking = [
            (place, step)
            for place in places
            if place < len(self._steps)
            and (step := self._steps[place]).chars is not None
            and step.chars.has(character)
        ]
        return self._closure(place + (not step.repeated) for place, step in taking)

    def _closure(self, places: Iterable[int], *, at_start: bool = False) -> frozenset[int]:
        """Return `places` with all that can be reached from them without a character."""
        reached: set[int] = set()
        pending = [*places]
        while pending:
            place = pending.pop()
            if place in reached:
                continue
            reached.add(place)
            if place == len(self._steps):
                continue
            step = self._steps[place]
            if step.optional:
                pending += [place + 1, place + 1 + step.optional]
            elif step.repeated or (step.at_start and at_start):
                pending.append(place + 1)
        return frozenset(reached)


#: What `**`, `*` and `?` become.
_DIRECTORIES = "(.*/)?"
_REST = ".*"
_NAME = "[^/]*"
_LETTER = "[^/]"

#: `a{2,3}`: of a `{` that begins no such thing, Go makes a character.
_REPEAT = re.compile(r"\{[0-9]+(,[0-9]*)?\}")


class UnsupportedPattern(ValueError):
    """Docker rejects the pattern, or gives it a meaning that nobody wants; the message is the reason."""


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a matcher of paths for a cleaned pattern. Raises `UnsupportedPattern`."""
    check_syntax(pattern)
    kind, expression = to_regexp(pattern)
    if kind == "exact":
        return lambda path: path == pattern
    if kind == "prefix":  # `dir/**`
        return lambda path: path.startswith(pattern[:-2])
    if kind == "suffix":  # `**/name`, which is `name` at the top as well
        end = pattern[2:]
        return lambda path: path.endswith(end) or (end[:1] == "/" and path == end[1:])
    automata = [Nfa(steps) for steps in split_alternatives(expression)]
    return lambda path: any(automaton.matches(path) for automaton in automata)


def check_syntax(pattern: str) -> None:
    """Refuse what Go's `filepath.Match` calls a syntax error."""
    if pattern.startswith("\ufeff"):
        raise UnsupportedPattern("a byte order mark precedes it")
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 == len(pattern):
            raise UnsupportedPattern("it ends with a backslash")
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
        raise UnsupportedPattern("its `[` does not begin a character class")
    return at + (2 if pattern[at] == "\\" else 1)


def to_regexp(pattern: str) -> tuple[str, str]:
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


def split_alternatives(expression: str) -> Iterator[list[State]]:
    """Parse an expression as Go's `regexp` does. Raises `UnsupportedPattern` if Go rejects it.

    The start is tied to the first alternative alone, the end to the last: so precedence has it.
    """
    loose, at = State(ANYTHING, repeated=True), 0
    while at <= len(expression):
        start = at
        found, at = parse_states(expression, at)
        yield [loose] * (start > 0) + found + [loose] * (at <= len(expression))


def parse_states(expression: str, at: int) -> tuple[list[State], int]:
    """Read an alternative that begins at `at`; return it and where the next one begins."""
    found: list[State] = []
    while at < len(expression):
        character = expression[at]
        if expression.startswith(_DIRECTORIES, at):
            found += [State(None, optional=2), State(ANY, repeated=True), _literal("/")]
            at += len(_DIRECTORIES)
        elif character == "|":
            return found, at + 1
        elif character == "{" and _REPEAT.match(expression, at):
            raise UnsupportedPattern("Docker treats `{…}` as part of a regular expression")
        elif character == "^":
            found.append(State(None, at_start=True))
            at += 1
        elif expression.startswith(_REST, at):
            found.append(State(ANY, repeated=True))
            at += len(_REST)
        elif character == "[":
            chars, at = _read_class(expression, at + 1)
            repeated = expression[at : at + 1] == "*"
            found.append(State(chars, repeated=repeated))
            at += repeated
        else:
            character, at = _read_character(expression, at)
            found.append(_literal(character))
    return found, at + 1


@lru_cache
def _literal(character: str) -> State:
    return State(CharClass(((character, character),)))


def _read_class(expression: str, at: int) -> tuple[CharClass, int]:
    """Read the class that begins before `at`; return it and where it is over."""
    negated = expression.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while expression[at : at + 1] != "]" or not ranges:
        if at >= len(expression):  # the `]` that ended it was taken by what a `*` has become
            raise UnsupportedPattern("its `[` does not begin a character class")
        if expression.startswith("[:", at) and ":]" in expression[at + 2 :]:
            raise UnsupportedPattern(
                "named character classes are not supported; write the characters"
            )
        low, at = _read_character(expression, at)
        high = low
        if expression.startswith("-", at) and expression[at + 1 : at + 2] not in ("", "]"):
            high, at = _read_character(expression, at + 1)
        if high < low:
            raise UnsupportedPattern(f"its range `{low}-{high}` runs backwards")
        ranges.append((low, high))
    return CharClass(tuple(ranges), negated), at + 1


def _read_character(expression: str, at: int) -> tuple[str, int]:
    """Read one character, escaped or not; return it and where it is over."""
    character = expression[at : at + 1]
    if character != "\\":
        return character, at + 1
    escaped = expression[at + 1 : at + 2]
    if escaped.isalnum() or not escaped.isascii():
        raise UnsupportedPattern(
            f"Docker treats `\\{escaped}` as part of a regular expression; write `/` between directories"
        )
    return escaped, at + 2


BOM = b"\xef\xbb\xbf"

#: `unicode.IsSpace` of Go; `str.strip()` would take U+001C to U+001F as well.
GO_WHITESPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

#: `bufio.MaxScanTokenSize`: Docker reads no file with a longer line.
MAX_LINE_BYTES = 64 * 1024


class InvalidLine(ValueError):
    """Docker rejects the file because of a line, so the build fails."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class Pattern(NamedTuple):
    """A line with a pattern."""

    #: 1-based.
    line: int
    #: As it stands in the file, without blanks around it.
    text: bytes
    #: Whether it begins with `!`: what it matches is sent.
    negated: bool
    matches: Callable[[str], bool]


class Dockerignore:
    """The patterns of a file. Paths are relative to the context, `/` between parts."""

    def __init__(self, content: bytes) -> None:
        """Read a file. Raises `InvalidLine`."""
        self.patterns = list(parse_patterns(content))
        #: By directory: which patterns match it, or a directory above it.
        self._above: dict[str, list[bool]] = {"": [False] * len(self.patterns)}

    def excludes(self, path: str) -> bool:
        """Return whether `path` is excluded from the context."""
        return self.match(path)[0]

    def match(self, path: str) -> tuple[bool, Pattern | None]:
        """Return whether `path` is excluded, and the pattern that re-includes it, if one does.

        The last pattern that matches and changes the result decides.
        """
        parent = self._parent(path)
        excluded, last = False, None
        for pattern, above in zip(self.patterns, parent, strict=True):
            # A pattern that would not change the result is not matched.
            if above or (pattern.negated == excluded and pattern.matches(path)):
                excluded = not pattern.negated
                last = pattern if pattern.negated else None
        return excluded, last

    def _parent(self, path: str) -> list[bool]:
        """Return which patterns match a directory above `path`."""
        unknown = []
        directory = above = path.rpartition("/")[0]
        while above not in self._above:
            unknown.append(above)
            above = above.rpartition("/")[0]
        for below in reversed(unknown):
            self._above[below] = self._matching(below)
        return self._above[directory]

    def _matching(self, directory: str) -> list[bool]:
        """Return which patterns match `directory` or a parent, as BuildKit records it during its walk."""
        excluded, matching = False, []
        for pattern, above in zip(self.patterns, self._parent(directory), strict=True):
            matched = above or (pattern.negated == excluded and pattern.matches(directory))
            if matched:
                excluded = not pattern.negated
            matching.append(matched)
        return matching


def parse_patterns(content: bytes) -> Iterator[Pattern]:
    """Read the lines of a file. Raises `InvalidLine`."""
    for number, line in enumerate(content.removeprefix(BOM).split(b"\n"), start=1):
        if len(line) >= MAX_LINE_BYTES:
            raise InvalidLine(number, "the line is too long for Docker")
        if line.startswith(b"#"):
            continue
        try:
            negated, pattern = normalize_line(line.decode("utf-8"))
            if pattern:
                yield Pattern(number, line.strip(), negated, compile_pattern(pattern))
        except UnicodeDecodeError:
            raise InvalidLine(number, "it is not UTF-8, and BuildKit cannot send it") from None
        except UnsupportedPattern as why:
            raise InvalidLine(number, str(why)) from None


def normalize_line(line: str) -> tuple[bool, str]:
    """Return whether a line begins with `!`, and its pattern, relative to the top of the context.

    The pattern is empty if the line has none. Raises `UnsupportedPattern` for a lone `!`.
    """
    text = line.strip(GO_WHITESPACE)
    mark = "!" if text.startswith("!") else ""
    text = text.removeprefix("!").strip(GO_WHITESPACE)
    if text:
        text = clean_path(text).removeprefix("/")
    # `New`, the second reader, does the same again: `./!name` now begins with `!`.
    text = (mark + text).strip(GO_WHITESPACE)
    if not text:
        return False, ""
    text = clean_path(text)
    if text == "!":
        raise UnsupportedPattern("a lone `!` excludes nothing")
    return text.startswith("!"), text.removeprefix("!")


def clean_path(path: str) -> str:
    """Return the shortest path that means the same: `filepath.Clean` of Go."""
    absolute = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part == ".." and absolute:
            continue
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if absolute else "") + "/".join(parts) or "."
