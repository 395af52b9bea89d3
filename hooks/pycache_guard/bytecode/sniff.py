"""Detect bytecode by the first bytes of a file, independently of its name.

Asked of every new file at each commit: imports nothing but the table.

What runs a file of any name is `python FILE` (CPython `Python/pythonrun.c`, `run_pyc_file`) and
`runpy.run_path` (`Lib/pkgutil.py`, `read_code`). Both compare the magic number, skip the rest of the
header unread, whatever its flags, and unmarshal what follows.
"""

from __future__ import annotations

from pycache_guard.bytecode.magic_numbers import CRLF, find_magic

#: The number of first bytes that `is_bytecode` needs.
HEAD_BYTES = 64

#: TYPE_CODE of marshal, without and with FLAG_REF.
_CODE = b"c\xe3"
#: The same with that of GraalPy, which is also that of CPython before 1.3.
_ANY_CODE = _CODE + b"C\xc3"
#: marshal's types of text and bytes: `runpy.run_path` passes what it unmarshals to `exec`, which
#: compiles text. TYPE_STRING, _INTERNED, _UNICODE, _ASCII and _ASCII_INTERNED have four bytes of
#: length, TYPE_SHORT_ASCII and _SHORT_ASCII_INTERNED have one (CPython `Python/marshal.c`).
_LONG_TEXT = b"stuaA\xf3\xf4\xf5\xe1\xc1"
_SHORT_TEXT = b"zZ\xfa\xda"
#: A text longer than this many bytes does not fit into a file that git keeps whole.
_MAX_TEXT_BYTES = (1 << 31) - 1


def is_bytecode(head: bytes) -> bool:
    """Return whether a file with these first `HEAD_BYTES` bytes contains bytecode.

    It does when a known magic number, a whole header and the type of a code object, or of a text
    that `runpy` would run, follow each other; or when the code of a module follows something like a
    header. A header alone is not bytecode: there is nothing to run.
    """
    row = find_magic(head[:4])
    if row is not None and _holds_text(head, row[2]):
        return True
    # The fields of a code object hold zero bytes. Text does not, and must never be taken for
    # bytecode, although `3\r\r\n` is a magic.
    if 0 not in head[:HEAD_BYTES]:
        return False
    if head[2:4] == CRLF and any(_holds_module(head, end) for end in (8, 12, 16)):
        return True
    return row is not None and _holds(head, row[2], _ANY_CODE)


def _holds_module(head: bytes, end: int) -> bool:
    """Return whether code without arguments follows `end` bytes of header: needs no table."""
    return _holds(head, end, _CODE) and head[end + 1 : end + 5] == bytes(4)


def _holds_text(head: bytes, end: int) -> bool:
    """Return whether a complete marshalled text follows `end` bytes of header."""
    if _holds(head, end, _SHORT_TEXT):
        size, start = int.from_bytes(head[end + 1 : end + 2], "little"), end + 2
    elif _holds(head, end, _LONG_TEXT):
        size, start = int.from_bytes(head[end + 1 : end + 5], "little"), end + 5
    else:
        return False
    is_whole = len(head) >= HEAD_BYTES or start + size <= len(head)
    return 0 < size <= _MAX_TEXT_BYTES and is_whole


def _holds(head: bytes, end: int, types: bytes) -> bool:
    """Return whether one of the marshal `types` follows `end` bytes of header."""
    return head[end : end + 1] != b"" and head[end] in types


#: The start of a Git LFS pointer (git-lfs docs/spec.md), in all versions.
LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/",
    b"version https://hawser.github.com/spec/",
)
#: The start of an archive, or of a compressed file: zip (a `.whl`, `.egg`, `.pyz`, `.jar` …), gzip, bzip2,
#: xz, zstd, 7z.
_ARCHIVES = (
    *(b"PK\3\4", b"PK\5\6", b"PK\7\x08", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0"),
    *(b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c"),
)
#: Where a tar file has the mode of its first member, a number, and `ustar` (POSIX.1, pax).
_TAR_MODE = slice(100, 108)
_USTAR = 257
#: The number of first bytes that `is_archive` needs.
ARCHIVE_HEAD_LENGTH = _USTAR + 5


def is_lfs_pointer(head: bytes) -> bool:
    """Return whether a file is a Git LFS pointer: its content is not in git."""
    return head.startswith(LFS_POINTER)


def is_archive(head: bytes) -> bool:
    """Return whether a file is an archive, or compressed, by `ARCHIVE_HEAD_LENGTH` first bytes.

    A zip file after the first line of a script counts (`zipapp`).
    """
    is_zipapp = head.startswith(b"#!") and b"\nPK\3\4" in head
    is_tar = head[_USTAR:ARCHIVE_HEAD_LENGTH] == b"ustar" and _may_be_tar(head)
    return head.startswith(_ARCHIVES) or is_zipapp or is_tar


def _may_be_tar(head: bytes) -> bool:
    """Return whether a number is where a tar file has one: octal digits, or base 256 of GNU tar."""
    mode = head[_TAR_MODE]
    return not mode.strip(b"01234567 \0") or mode[:1] in (b"\x80", b"\xff")


def is_enough(head: bytes, size: int) -> bool:
    """Return whether more bytes of a file of `size` bytes would change no answer of this module."""
    is_other = not head.startswith(b"#!") and not _may_be_tar(head)
    return len(head) >= min(size, _TAR_MODE.stop if is_other else ARCHIVE_HEAD_LENGTH)


def may_be_bytecode_when_encoded(head: bytes) -> bool:
    r"""Return whether a UTF-8 text could start with a header of bytecode in a one-byte encoding.

    A magic number ends with `\r\n` (CPython, Include/internal/pycore_magic_number.h), which may be a
    `\n` that git turns into it. Every encoding of one byte, ASCII or EBCDIC, has control characters for
    these two, so a text that begins with other characters is no bytecode in any of them.
    """
    import unicodedata  # only for a repository whose attributes name an encoding

    start = head.decode("utf-8", "replace")[:4]
    return any(unicodedata.category(character) == "Cc" for character in start)


def may_become_bytecode(head: bytes) -> bool:
    r"""Return whether a file with zero bytes could be bytecode if each of its lines ended with `\r\n`.

    Git changes all line ends or none (`crlf_to_worktree` in its convert.c), but before them it may expand
    `$Id$`, which moves what follows.
    """
    if 0 not in head[:HEAD_BYTES] or b"\n" not in head[:4]:
        return False
    written = head.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return is_bytecode(written[:HEAD_BYTES]) or b"$Id" in head[:HEAD_BYTES]
