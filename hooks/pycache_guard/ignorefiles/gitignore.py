"""A `.gitignore` as bytes: what to append, and why a line does not do what it was meant to.

Nothing here tells whether a pattern matches: git does. gitignore(5), "PATTERN FORMAT".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"

#: What a line that is meant for bytecode holds somewhere, in lower case.
MARKS = (b"pycache", b"pyc", b"pyo", b"py[", b"py.class", b"py{", b"py?")


def completed(content: bytes, patterns: Iterable[bytes]) -> bytes:
    """Return `content` with `patterns` appended, where they win over what stands above.

    What is there stays as it is, byte for byte; line ends are those of the file.
    """
    windows = content.count(b"\r\n")
    end = b"\r\n" if windows and windows * 2 >= content.count(b"\n") else b"\n"
    start = content if not content.removeprefix(BOM) or content.endswith(b"\n") else content + end
    return start + b"".join(pattern + end for pattern in patterns)


def encoding_fault(content: bytes) -> str | None:
    """Say why git cannot read any pattern of a file, `None` where it can."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        return "is UTF-16 or binary, of which git reads no pattern"
    return None


def meant_for_bytecode(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line that was written to keep bytecode out.

    A comment or a re-inclusion was not.
    """
    for number, line in enumerate(content.removeprefix(BOM).split(b"\n"), start=1):
        whole = line.removesuffix(b"\r")
        lowered = whole.lower()
        if any(mark in lowered for mark in MARKS) and not whole.startswith((b"#", b"!")):
            yield number, whole


def fault(line: bytes) -> str | None:
    """Say what keeps a line from matching, if it does not match; `None` where nothing is seen."""
    return next((why for applies, why in FAULTS if applies(line.rstrip(b" "), line)), None)


def holds_several(pattern: bytes) -> bool:
    """Whether a line holds more than one pattern for bytecode, parted by blanks or commas."""
    parts = pattern.replace(b",", b" ").split()
    return len(parts) > 1 and all(any(mark in part.lower() for mark in MARKS) for part in parts)


def last_part(pattern: bytes) -> bytes:
    """Return what stands behind the last slash that has something behind it."""
    return pattern.rstrip(b"/").rpartition(b"/")[2]


#: In this order: whether it applies to the line without and with its trailing blanks, and the words.
FAULTS: tuple[tuple[Callable[[bytes, bytes], bool], str], ...] = (
    (lambda p, _: b" #" in p or b"\t#" in p, "a comment must have a line of its own"),
    (lambda p, _: p[:1] in (b'"', b"'") or p[-1:] in (b'"', b"'"), "quotes belong to the pattern"),
    (lambda p, _: p[:1] in (b" ", b"\t"), "a leading blank belongs to the pattern"),
    (lambda p, _: p.endswith(b"\t"), "a trailing tab belongs to the pattern"),
    (lambda p, line: p.endswith(b"\\") and line != p, "an escaped blank belongs to the pattern"),
    (lambda p, _: p.startswith((b"./", b"../")), "`./` never matches; a leading `/` means here"),
    (lambda p, _: b"\\" in p, "a backslash escapes; directories are parted by `/`"),
    (lambda p, _: holds_several(p), "one line holds one pattern"),
    (lambda p, _: b"{" in p or b"|" in p, "there are no alternatives; write `*.py[co]`"),
    (lambda p, _: p[:1] == b"^" or p[-1:] == b"$", "it is a glob, not a regular expression"),
    (lambda p, _: any(byte >= 0x7F or byte < 0x20 for byte in p), "it holds an odd character"),
    (
        lambda p, _: p.endswith(b"/") and b"pycache" not in p.lower(),
        "a trailing `/` matches directories only",
    ),
    (lambda p, _: last_part(p).startswith(b".py"), "it names one file; write `*.pyc`"),
    (lambda p, _: p != p.lower(), "upper case is not lower case"),
    (lambda p, _: b"pycache" in p and b"__pycache__" not in p, "the directory is `__pycache__`"),
)
