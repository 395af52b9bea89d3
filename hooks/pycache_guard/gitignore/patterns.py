"""A `.gitignore` as bytes: append lines, and explain why a line has no effect.

Only git decides whether a pattern matches. gitignore(5), "PATTERN FORMAT".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BOM = b"\xef\xbb\xbf"

#: Byte order marks of encodings whose characters are wider than a byte; the longer ones first.
WIDE_BOMS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

#: Occurs in every line that is meant for bytecode, and not in `pyo3/`, `.pycharm/` and `pycache-guard/`.
BYTECODE_HINT = re.compile(
    rb"pycache_*(?![\w-]) | [.*{(|,]py(?: [co](?![\w-]) | \\?[\[{(?] ) | py\.class",
    re.IGNORECASE | re.VERBOSE,
)

#: A backslash before a character that needs none, or at the end.
STRAY_BACKSLASH = re.compile(rb"\\(?![][*?\\ !#$])")

#: A backslash that escapes a wildcard of a bytecode pattern.
ESCAPED_WILDCARD = re.compile(rb"\\\*\.?py|py\\[\[?]", re.IGNORECASE)


def append_patterns(content: bytes, patterns: Iterable[bytes]) -> bytes:
    """Return `content` with `patterns` appended: the last matching line decides.

    The content stays byte for byte; new lines get the line ends of the file.
    """
    windows = content.count(b"\r\n")
    end = b"\r\n" if windows and windows * 2 >= content.count(b"\n") else b"\n"
    start = content
    if content.removeprefix(BOM) and not content.endswith(b"\n"):
        # A CR at the end of the file is half of a line end; git does not count it as part of the pattern.
        start += b"\n" if content.endswith(b"\r") else end
    return start + b"".join(pattern + end for pattern in patterns)


def detect_utf16_32(content: bytes) -> str | None:
    """Return the name of an encoding in which git cannot read patterns, or None.

    Without a byte order mark it is detected by its NULs: nearly every second byte.
    """
    for mark, name in WIDE_BOMS:
        if content.startswith(mark):
            return name
    for start, name in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        if content.count(b"\0") * 3 > len(content) and set(content[start::2]) == {0}:
            return name
    return None


def lines_about_bytecode(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line that is meant to ignore bytecode.

    Comments and re-inclusions are skipped.
    """
    for number, line in enumerate(content.removeprefix(BOM).split(b"\n"), start=1):
        whole = line.removesuffix(b"\r")
        if BYTECODE_HINT.search(whole) and not whole.startswith((b"#", b"!")):
            yield number, whole


def explain_line(line: bytes) -> str | None:
    """Return the likely reason why a line does not match, or None."""
    return next((why for applies, why in MISTAKES if applies(line.rstrip(b" "), line)), None)


def has_several_patterns(pattern: bytes) -> bool:
    """Return whether a line has several bytecode patterns, separated by spaces, commas or semicolons."""
    parts = re.split(rb"[\s,;]+", pattern.strip(b" \t,;"))
    return len(parts) > 1 and all(BYTECODE_HINT.search(part) for part in parts)


def has_comment(pattern: bytes) -> bool:
    """Return whether a `#` follows the bytecode pattern; a directory `C#/` may precede it."""
    named = BYTECODE_HINT.search(pattern)
    return named is not None and b"#" in pattern[named.end() :].replace(rb"\#", b"")


def bytecode_component(pattern: bytes) -> bytes:
    """Return the part between slashes that is meant for bytecode."""
    return next((part for part in pattern.split(b"/") if BYTECODE_HINT.search(part)), b"")


def last_component(pattern: bytes) -> bytes:
    """Return the part after the last slash that is not at the end."""
    return pattern.rstrip(b"/").rpartition(b"/")[2]


def is_miscased(pattern: bytes) -> bool:
    """Return whether a name that Python writes in lower case is in upper case."""
    named = BYTECODE_HINT.search(pattern)
    return named is not None and named[0] != named[0].lower()


#: Checked in this order: a test of the line without and with trailing spaces, and the explanation.
MISTAKES: tuple[tuple[Callable[[bytes, bytes], bool], str], ...] = (
    (lambda p, _: has_comment(p), "a comment needs a line of its own"),
    (lambda p, _: p[:1] in b"\"'`" or p[-1:] in b"\"'`", "quotes are part of the pattern"),
    (lambda p, _: p[:1] in b" \t", "a leading space or tab is part of the pattern"),
    (lambda p, _: p.endswith(b"\t"), "a trailing tab is part of the pattern"),
    (lambda p, line: p.endswith(b"\\") and line != p, "an escaped space is part of the pattern"),
    (lambda p, _: has_several_patterns(p), "one line is one pattern"),
    (lambda p, _: p[-1:] in b",;:", "punctuation is part of the pattern"),
    (
        lambda p, _: p.startswith((b"./", b"../")),
        "`./` never matches; a leading `/` anchors a pattern",
    ),
    (
        lambda p, _: p[:1] == b"^" or p[-1:] == b"$" or rb"\." in p,
        "it is a glob, not a regular expression",
    ),
    (
        lambda p, _: ESCAPED_WILDCARD.search(p) is not None,
        "a backslash turns a wildcard into a plain character",
    ),
    (
        lambda p, _: STRAY_BACKSLASH.search(p) is not None,
        "a backslash escapes; `/` separates directories",
    ),
    (
        lambda p, _: any(c in bytecode_component(p) for c in b"{|("),
        "git has no alternatives in brackets; write `*.py[co]`",
    ),
    (lambda p, _: p.count(b"[") > p.count(b"]"), "a `[` is never closed"),
    (
        lambda p, _: any(c >= 0x7F or c < 0x20 for c in bytecode_component(p)),
        "it contains an unusual character",
    ),
    (
        lambda p, _: p.endswith(b"/") and b"pycache" not in last_component(p).lower(),
        "a trailing `/` matches directories only",
    ),
    (lambda p, _: b"pycache" in p and b"__pycache__" not in p, "the directory is `__pycache__`"),
    (
        lambda p, _: bytecode_component(p).startswith(b".py"),
        "it matches one file name; write `*.pyc`",
    ),
    (lambda p, _: is_miscased(p), "matching is case-sensitive; use lower case"),
    (lambda p, _: b" " in bytecode_component(p), "a space is part of the pattern"),
)
