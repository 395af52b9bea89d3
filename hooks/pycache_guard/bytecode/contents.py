"""Describe a file that has a bytecode name and does not begin like bytecode.

It is not part of `sniff`, which every commit imports, because it needs `re`.
"""

from __future__ import annotations

import re

#: First bytes, and the format that begins with them. Sources: the signatures in file(1), `Magdir`.
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x7fELF", "an ELF file"),
    (b"MZ", "a Windows program or library"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"<<<<<<< ", "text with marks of a merge conflict"),
)
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_MODULE_CODE = re.compile(rb"[c\xe3]\0\0\0\0")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: How lines of a Python program begin.
_PYTHON = re.compile(
    rb"^(?:#!.*python|#.*coding[:=]|import \w|from [\w.]+ import |def \w+\(|class \w+[(:]|@\w|if __name__\b"
    rb"|print\b|\"\"\"|'''|[A-Za-z_]\w* = )",
    re.MULTILINE,
)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def describe_content(data: bytes) -> str | None:
    """Describe what `data`, the first bytes of a file or all of them, contains instead of bytecode.

    Returns words such as `an HTML page` or `Python source`, None if it is not recognized.
    """
    if not data.strip(b"\0"):
        return "zero bytes only" if data else "nothing"
    for signature, words in _SIGNATURES:
        if data.startswith(signature):
            return words
    if _MODULE_CODE.match(data):
        return "marshalled code without a header"
    if _PICKLE.match(data):
        return "a pickle"
    if data.startswith(_WIDE_MARKS):
        return "UTF-16 text"
    text = data.removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(text):
        return "an HTML page"
    if not _CONTROLS.isdisjoint(text):
        return None
    return "Python source" if _PYTHON.search(text) else "text"
