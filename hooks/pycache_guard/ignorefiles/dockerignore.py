"""A `.dockerignore` as bytes: what its lines exclude from a build context, by Docker's own rules.

Not those of `.gitignore`: patterns are rooted at the context, `__pycache__/` matches there alone, and
`!` takes back in below an excluded directory too. Sources: moby/patternmatcher, which BuildKit, the
classic builder and compose use: `ignorefile/ignorefile.go` (`ReadAll`), `patternmatcher.go` (`New`,
`MatchesUsingParentResults`, as tonistiigi/fsutil walks a context with it).
"""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.ignorefiles.docker_glob import Refused
from pycache_guard.ignorefiles.docker_glob import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"

#: `unicode.IsSpace` of Go; `str.strip()` would take U+001C to U+001F as well.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

#: `bufio.MaxScanTokenSize`: Docker reads no file with a longer line.
LONGEST = 64 * 1024


class RefusedLine(ValueError):
    """Docker refuses the file, and builds nothing, because of a line."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class Pattern(NamedTuple):
    """A line that says something."""

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
        """Read a file. Raises `RefusedLine`."""
        self.patterns = list(patterns(content))
        #: By directory: which patterns match it, or a directory above it.
        self._above: dict[str, list[bool]] = {"": [False] * len(self.patterns)}

    def excludes(self, path: str) -> bool:
        """Whether `path` stays out of the context."""
        return self.verdict(path)[0]

    def verdict(self, path: str) -> tuple[bool, Pattern | None]:
        """Tell whether `path` stays out, and if not, which pattern takes it back in, if one does.

        The last pattern that matches, and changes anything, decides.
        """
        parent = self._parent(path)
        excluded, last = False, None
        for pattern, above in zip(self.patterns, parent, strict=True):
            # One that changes nothing is not asked.
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
        """Return which patterns match `directory` or one above it, as a walk of the context notes it."""
        excluded, matching = False, []
        for pattern, above in zip(self.patterns, self._parent(directory), strict=True):
            matched = above or (pattern.negated == excluded and pattern.matches(directory))
            if matched:
                excluded = not pattern.negated
            matching.append(matched)
        return matching


def patterns(content: bytes) -> Iterator[Pattern]:
    """Read the lines of a file. Raises `RefusedLine`."""
    for number, line in enumerate(content.removeprefix(BOM).split(b"\n"), start=1):
        if len(line) >= LONGEST:
            raise RefusedLine(number, "the line is longer than Docker reads")
        if line.startswith(b"#"):
            continue
        try:
            negated, pattern = rooted(line.decode("utf-8"))
            if pattern:
                yield Pattern(number, line.strip(), negated, compiled(pattern))
        except UnicodeDecodeError:
            raise RefusedLine(number, "it is not UTF-8, which BuildKit cannot pass on") from None
        except Refused as why:
            raise RefusedLine(number, str(why)) from None


def rooted(line: str) -> tuple[bool, str]:
    """Return whether a line begins with `!`, and its pattern as it is matched: from the context's top.

    The pattern is empty where the line says nothing. Raises `Refused` for a lone `!`.
    """
    text = line.strip(SPACE)
    mark = "!" if text.startswith("!") else ""
    text = text.removeprefix("!").strip(SPACE)
    if text:
        text = cleaned(text).removeprefix("/")
    # What follows is done again by the second reader, `New`: `./!name` has become one with a mark.
    text = (mark + text).strip(SPACE)
    if not text:
        return False, ""
    text = cleaned(text)
    if text == "!":
        raise Refused("a lone `!` excludes nothing")
    return text.startswith("!"), text.removeprefix("!")


def cleaned(path: str) -> str:
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
