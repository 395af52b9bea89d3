"""A `.gitignore` as bytes: what to append, and why a line does not do what it was meant to.

Nothing here tells whether a pattern matches: git does. gitignore(5), "PATTERN FORMAT".
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"

#: Byte order marks of encodings whose characters are wider than a byte; the longer ones first.
WIDE_BOMS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

#: What a line that is meant for bytecode holds somewhere. `pyo3/`, `.pycharm/` and
#: `pycache-guard/` are not.
BYTECODE_HINT = re.compile(
    rb"pycache_*(?![\w-]) | [.*{(|,]py(?: [co](?![\w-]) | \\?[\[{(?] ) | py\.class",
    re.IGNORECASE | re.VERBOSE,
)

#: A backslash before anything that needs none, or at the end.
STRAY_BACKSLASH = re.compile(rb"\\(?![][*?\\ !#$])")

#: A backslash that takes a wildcard of bytecode's names its meaning.
ESCAPED_WILDCARD = re.compile(rb"\\\*\.?py|py\\[\[?]", re.IGNORECASE)


def append_patterns(content: bytes, patterns: Iterable[bytes]) -> bytes:
    """Return `content` with `patterns` appended, where they win over what stands above.

    What is there stays as it is, byte for byte; line ends are those of the file.
    """
    windows = content.count(b"\r\n")
    end = b"\r\n" if windows and windows * 2 >= content.count(b"\n") else b"\n"
    start = content
    if content.removeprefix(BOM) and not content.endswith(b"\n"):
        # A CR at the very end is half of an end: git does not count it to the pattern.
        start += b"\n" if content.endswith(b"\r") else end
    return start + b"".join(pattern + end for pattern in patterns)


def detect_utf16_32(content: bytes) -> str | None:
    """Name the encoding of a file in which git can read no pattern, `None` where it can.

    Without a byte order mark it is known by its NULs: every second byte, or nearly.
    """
    for mark, name in WIDE_BOMS:
        if content.startswith(mark):
            return name
    for start, name in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        if content.count(b"\0") * 3 > len(content) and set(content[start::2]) == {0}:
            return name
    return None


def lines_about_bytecode(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line that was written to keep bytecode out.

    A comment or a re-inclusion was not.
    """
    for number, line in enumerate(content.removeprefix(BOM).split(b"\n"), start=1):
        whole = line.removesuffix(b"\r")
        if BYTECODE_HINT.search(whole) and not whole.startswith((b"#", b"!")):
            yield number, whole


def explain_line(line: bytes) -> str | None:
    """Say what keeps a line from matching, if it does not match; `None` where nothing is seen."""
    return next((why for applies, why in MISTAKES if applies(line.rstrip(b" "), line)), None)


def has_several_patterns(pattern: bytes) -> bool:
    """Whether a line holds more than one pattern for bytecode, parted by blanks or the like."""
    parts = re.split(rb"[\s,;]+", pattern.strip(b" \t,;"))
    return len(parts) > 1 and all(BYTECODE_HINT.search(part) for part in parts)


def has_comment(pattern: bytes) -> bool:
    """Whether a `#` stands behind what is meant for bytecode; `C#/` may stand before it."""
    named = BYTECODE_HINT.search(pattern)
    return named is not None and b"#" in pattern[named.end() :].replace(rb"\#", b"")


def bytecode_component(pattern: bytes) -> bytes:
    """Return the part between slashes that is meant for bytecode; directories above may be odd."""
    return next((part for part in pattern.split(b"/") if BYTECODE_HINT.search(part)), b"")


def last_component(pattern: bytes) -> bytes:
    """Return what stands behind the last slash that has something behind it."""
    return pattern.rstrip(b"/").rpartition(b"/")[2]


def is_miscased(pattern: bytes) -> bool:
    """Whether a name that Python writes in lower case stands there in upper case."""
    named = BYTECODE_HINT.search(pattern)
    return named is not None and named[0] != named[0].lower()


#: In this order: whether it applies to the line without and with its trailing blanks, and the words.
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
