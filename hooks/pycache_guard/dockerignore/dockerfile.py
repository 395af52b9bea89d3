"""What a Dockerfile takes from its build context.

Dockerfile reference: parser directives, `COPY`, `ADD`, `RUN --mount`, `FROM`, here-documents.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.dockerignore.values import MAX_VALUE_CHARS, UNKNOWN, is_remote, require_small

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ESCAPE = re.compile(r"\s*#\s*escape\s*=\s*`", re.IGNORECASE)
_DIRECTIVE = re.compile(r"\s*#\s*\w+\s*=")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_]\w*)\1")
#: The `}` may be missing, so that a search never fails at the end of the text.
_VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*)|[^}]*)(\}?)|\$(\w+)")
_ASSIGNMENT = re.compile(r"(?<!\w)(\w+)=(\"[^\"]*\"|'[^']*'|\S*)")
_OPTION = re.compile(r"(?<!\S)--\S+\s+")
_MOUNT = re.compile(r"--mount=(\S+)")
_GLOB = re.compile(r"[*?\[]")
#: A Dockerfile with more sources counts as one that copies everything.
MAX_SOURCES = 1000


class Sources(NamedTuple):
    """What a Dockerfile copies, as paths from the context; `.` is all of it."""

    #: Patterns of Go's `filepath.Match`, normalised; `UNKNOWN` stands in place of a variable.
    patterns: tuple[str, ...]
    #: Whether something else may be copied: no instruction is known, or a base image has `ONBUILD`.
    may_be_all: bool

    def is_empty(self) -> bool:
        """Return whether nothing is copied from the context."""
        return not self.patterns and not self.may_be_all

    def covers(self, path: str) -> bool:
        """Return whether the file `path`, from the context, is copied by one of them."""
        if self.may_be_all:
            return True
        parts = path.split("/")
        return any(matches_above(pattern, parts) for pattern in self.patterns)

    def concrete(self) -> list[str]:
        """Return the patterns that name something by which a context can be known."""
        return [p for p in self.patterns if p.strip("*./") and UNKNOWN not in p]


def matches_above(pattern: str, parts: Sequence[str]) -> bool:
    """Return whether a pattern matches the path of `parts`, or a directory above it."""
    if pattern == "." or UNKNOWN in pattern:
        return True
    wanted = pattern.split("/")
    return len(wanted) <= len(parts) and all(map(fnmatchcase, parts, wanted))


def read_sources(content: bytes) -> Sources:
    """Return what a Dockerfile takes from its context: by COPY, ADD and bind mounts.

    Raises `Unreadable` for a file that is too large.
    """
    require_small(content)
    found: dict[str, None] = {}
    has_from = may_be_all = False
    variables: dict[str, str] = {}
    for keyword, rest in iter_instructions(content.decode("utf-8", "replace")):
        if keyword == "ONBUILD":
            keyword, _, rest = rest.partition(" ")
            keyword = keyword.upper()
        if keyword == "FROM":
            has_from = True
            image = _OPTION.sub("", rest).strip().partition(" ")[0]
            may_be_all = may_be_all or "onbuild" in image.lower()
        elif keyword in ("ARG", "ENV"):
            for name, value in _ASSIGNMENT.findall(rest):
                variables.setdefault(name, known_or_unknown(value.strip("\"'")))
        elif keyword in ("COPY", "ADD", "RUN"):
            find = find_mounted if keyword == "RUN" else find_copied
            for path in find(rest, variables):
                found[normalize_source(path)] = None
                if len(found) > MAX_SOURCES:
                    return Sources((), may_be_all=True)
    return Sources(tuple(found), may_be_all or not has_from)


def iter_instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction in upper case and its arguments, comments and here-documents left out."""
    lines = text.removeprefix("\ufeff").splitlines()
    escape = "\\"
    for line in lines:
        if not _DIRECTIVE.match(line):
            break
        escape = "`" if _ESCAPE.match(line) else escape
    pending, at = "", 0
    while at < len(lines):
        line, at = lines[at].strip(), at + 1
        if line.startswith("#") or not line:
            continue
        if line.endswith(escape):
            pending += line[:-1] + " "
            continue
        keyword, _, rest = (pending + line).strip().partition(" ")
        pending = ""
        for _, word in _HEREDOC.findall(rest) if keyword.upper() in ("ADD", "COPY", "RUN") else ():
            while at < len(lines) and lines[at].strip("\t ") != word:
                at += 1
            at += 1
        yield keyword.upper(), rest.strip()
    if pending:
        keyword, _, rest = pending.strip().partition(" ")
        yield keyword.upper(), rest.strip()


def find_copied(rest: str, variables: dict[str, str]) -> Iterator[str]:
    """Yield the sources of COPY and ADD that are in the context."""
    at = 0
    while rest.startswith("--", at):
        if rest[at : at + 7].lower() == "--from=":
            return
        end = rest.find(" ", at)
        at = end if end >= 0 else len(rest)
        while rest[at : at + 1].isspace():
            at += 1
    for word in split_words(rest[at:])[:-1]:
        path = replace_variables(word, variables)
        if not is_remote(path) and not path.startswith("<<"):
            yield path


def split_words(rest: str) -> list[str]:
    """Return the arguments of an instruction, written as words or as a JSON array."""
    if rest.startswith("["):
        import json  # 3 ms, and nearly no Dockerfile has one

        try:
            words = [str(word) for word in json.loads(rest)]
        except (ValueError, RecursionError):
            pass
        else:  # a lone surrogate is in no path
            return [word.encode("utf-8", "replace").decode("utf-8") for word in words]
    return [word.strip("\"'") for word in rest.split()]


def find_mounted(rest: str, variables: dict[str, str]) -> Iterator[str]:
    """Yield the sources of bind mounts that are in the context."""
    for mount in _MOUNT.findall(rest):
        options = {
            name.strip().lower(): value
            for name, _, value in (o.partition("=") for o in mount.split(","))
        }
        if options.get("type", "bind") == "bind" and "from" not in options:
            yield replace_variables(options.get("source", options.get("src", ".")), variables)


def replace_variables(word: str, variables: dict[str, str]) -> str:
    """Return a word with its variables replaced, `UNKNOWN` for each that is not known."""

    def value(match: re.Match[str]) -> str:
        if match[1] and not match[3]:
            return match[0]
        return variables.get(match[1] or match[4], match[2] or UNKNOWN)

    return known_or_unknown(_VARIABLE.sub(value, known_or_unknown(word)))


def known_or_unknown(text: str) -> str:
    """Return a text, or `UNKNOWN` for one that is too long for a path."""
    return text if len(text) <= MAX_VALUE_CHARS else UNKNOWN


def normalize_source(path: str) -> str:
    """Return a source as a path from the context: rooted there, it cannot leave it."""
    clean = posixpath.normpath("/" + path.replace("\\", "/")).lstrip("/")
    return clean or "."


def has_glob(pattern: str) -> bool:
    """Return whether a source is a pattern, not a path."""
    return _GLOB.search(pattern) is not None
