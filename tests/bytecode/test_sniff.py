from __future__ import annotations

import importlib.util
import marshal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bytecode.magic_numbers import ROWS
from pycache_guard.bytecode.sniff import (
    HEAD_BYTES,
    is_archive,
    is_bytecode,
    is_enough,
    is_lfs_pointer,
    may_become_bytecode,
)

CODE_27 = b"c" + bytes(8) + b"\x02\0\0\0@\0\0\0s"
CODE_312 = b"\xe3" + bytes(12) + b"\x02\0\0\0\0\0\0\0\xf3"
TIME_SIZE = b"\x15\xcd\x5b\x07\x2a\0\0\0"
#: A header of text: what a known magic in front of text would be taken for.
TEXT = b"abcdefgh"


def magic(number: int) -> bytes:
    return number.to_bytes(2, "little") + b"\r\n"


HITS = [
    ("1.0", b"\x02\x99\x99\x00" + TIME_SIZE[:4] + b"C" + bytes(8)),
    ("1.4", magic(5892) + TIME_SIZE[:4] + b"c" + bytes(8)),
    ("2.7", magic(62211) + TIME_SIZE[:4] + CODE_27),
    ("2.7 -U", magic(62212) + TIME_SIZE[:4] + CODE_27),
    ("pypy 2.7", magic(62218) + TIME_SIZE[:4] + CODE_27),
    ("3.2", magic(3180) + TIME_SIZE[:4] + CODE_27),
    ("3.6", magic(3379) + TIME_SIZE + CODE_312),
    ("3.6, header of text", magic(3379) + TEXT + CODE_312),
    ("3.12", magic(3531) + bytes(4) + TIME_SIZE + CODE_312),
    ("3.12, unchecked hash", magic(3531) + b"\1\0\0\0" + TEXT + CODE_312),
    ("3.12, abnormal flags", magic(3531) + b"\2\0\0\0" + TIME_SIZE + CODE_312),
    ("3.12, checked hash", magic(3531) + b"\3\0\0\0" + TEXT + CODE_312),
    ("3.12, flags that import refuses", magic(3531) + b"\4\0\0\0" + TIME_SIZE + CODE_312),
    ("3.12, flags without a zero byte", magic(3531) + b"\xff" * 4 + TEXT + CODE_312),
    ("3.12, a text for runpy", magic(3531) + TEXT + b"abcd" + b"z\4a=10"),
    ("3.12, bytes for runpy", magic(3531) + bytes(12) + b"s\4\0\0\0a=10"),
    ("3.12, a long text", magic(3531) + bytes(12) + b"\xf5\0\1\0\0" + b"#" * 43),
    ("2.7, a text for runpy", magic(62211) + bytes(4) + b"t\4\0\0\0a=10"),
    ("3.12, a function's code", magic(3531) + bytes(4) + TIME_SIZE + b"\xe3\2\0\0\0"),
    ("3.12, cut off in the code", magic(3531) + bytes(4) + TIME_SIZE + b"\xe3"),
    ("3.15, no FLAG_REF", magic(3666) + bytes(4) + TIME_SIZE + CODE_27),
    ("3.16, before its row", magic(3706) + bytes(4) + TIME_SIZE + CODE_312),
    ("GraalPy", magic(21290) + bytes(4) + TIME_SIZE + b"\xc3\x08"),
    ("unknown, 8 bytes", magic(9999) + TIME_SIZE[:4] + CODE_27),
    ("unknown, 12 bytes", magic(9999) + TIME_SIZE + CODE_27),
    ("unknown, flags", magic(9999) + b"\4\0\0\0" + TEXT + CODE_312),
    ("unknown, 16 bytes", magic(9999) + b"\3\0\0\0" + TEXT + CODE_312),
]

MISSES = [
    ("empty", b""),
    ("magic alone", magic(3531)),
    ("header cut off", magic(3531) + bytes(4) + TIME_SIZE[:7]),
    ("header alone", magic(3531) + bytes(4) + TIME_SIZE),
    ("header, no code", magic(3531) + bytes(4) + TIME_SIZE + b"\xe9\0\0\0\0"),
    ("a text of no length", magic(3531) + bytes(12) + b"\xfa\0"),
    ("a text of a negative length", magic(3531) + bytes(12) + b"u" + b"\xff" * 4 + bytes(40)),
    ("a text that is cut off", magic(3531) + bytes(12) + b"z\5text"),
    ("a number", magic(3531) + bytes(12) + b"\xe9\1\0\0\0"),
    ("unknown, arguments", magic(9999) + TIME_SIZE + b"\xe3\2\0\0\0" + bytes(30)),
    ("unknown, CRLF elsewhere", b"\0" + magic(9999) + TIME_SIZE + CODE_312),
    ("unknown, GraalPy's code", magic(9999) + bytes(4) + TIME_SIZE + b"C" + bytes(8)),
    ("Java", b"\xca\xfe\xba\xbe\0\0\0\x34\0\x0f" + bytes(30)),
    ("MicroPython", b"M\x06\0\x1f" + bytes(40)),
    ("text behind 3.6's magic", b"3\r\r\n12345678call me\r\n"),
    ("text behind 2.0's magic", magic(50823) + b"abcdcode, code"),
    ("text behind 3.10's magic", b"o\r\r\n" + b"a" * 12 + b"cc"),
    ("C comment", b"/*\r\nabcdc = 1;\r\n"),
    ("PowerShell comment", b"<#\r\nabcdcdefc" + b"c" * 30),
    ("UTF-16 text", "3\r\r\n12345678cc".encode("utf-16-le")),
    ("ELF", b"\x7fELF\2\1\1" + bytes(57)),
    ("zeros", bytes(HEAD_BYTES)),
]


@pytest.mark.parametrize("head", [head for _, head in HITS], ids=[name for name, _ in HITS])
def test_is_bytecode_table(head: bytes) -> None:
    assert is_bytecode(head)
    assert is_bytecode(head.ljust(HEAD_BYTES * 2, b"x"))


@pytest.mark.parametrize("head", [head for _, head in MISSES], ids=[name for name, _ in MISSES])
def test_is_bytecode_of_other_files_is_false(head: bytes) -> None:
    assert not is_bytecode(head)


@pytest.mark.parametrize("version", [0, 2, 4])
def test_is_bytecode_of_what_this_interpreter_writes(version: int) -> None:
    code = marshal.dumps(compile("x = 1", "x.py", "exec"), version)
    assert is_bytecode(importlib.util.MAGIC_NUMBER + bytes(12) + code)


def test_is_bytecode_knows_every_magic_number() -> None:
    for *_, header_length, prereleases, releases in ROWS:
        for number in (*prereleases, *releases):
            head = magic(number) + bytes(header_length - 4)
            assert is_bytecode(head + b"\xe3\1\0\0\0")
            assert not is_bytecode(head)


MAGICS = [magic(number) for *_, releases in ROWS for number in releases]
NO_NUL = st.sampled_from(b"c\xe3C\xc3\1\2\3 ")


@given(
    st.sampled_from([magic for magic in MAGICS if 0 not in magic]),
    st.lists(NO_NUL, min_size=4, max_size=HEAD_BYTES - 4),
)
def test_is_bytecode_of_text_is_false(magic: bytes, text: list[int]) -> None:
    assert not is_bytecode(magic + bytes(text))


@given(st.binary(max_size=HEAD_BYTES))
def test_is_bytecode_accepts_any_bytes(head: bytes) -> None:
    assert is_bytecode(head) in (True, False)


def test_import_of_sniff_imports_no_slow_module() -> None:
    program = (
        "import sys; before = set(sys.modules); import pycache_guard.bytecode.sniff;"
        "print(*(set(sys.modules) - before))"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert set(shown.stdout.decode().split()) - {"__future__"} == {
        "pycache_guard",
        "pycache_guard.bytecode",
        "pycache_guard.bytecode.magic_numbers",
        "pycache_guard.bytecode.sniff",
    }


#: A name of a hundred bytes, and its mode as every program writes it.
TAR = b"n" * 100 + b"0000644\0" + b"0001750\0" * 2 + bytes(133) + b"ustar\x0000"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"PK\3\4", True),
        (b"#!/usr/bin/env python3\nPK\3\4", True),
        (b"#!/bin/sh" + b"\n#" * 120 + b"\nPK\3\4", True),
        (b"text\nPK\3\4", False),
        (TAR, True),
        (TAR.replace(b"0000644\0", b" 644    ").replace(b"\0", b" "), True),
        (TAR.replace(b"0000644\0", bytes(8)), True),
        (TAR.replace(b"0000644\0", b"\x80\0\0\0\0\0\1\xa4"), True),
        (b"x" * 257 + b"ustar", False),
        (b"", False),
    ],
)
def test_is_archive(head: bytes, expected: bool) -> None:
    assert is_archive(head) is expected


@pytest.mark.parametrize(
    ("head", "size", "expected"),
    [
        (b"", 0, True),
        (b"#!abc", 5, True),
        (b"x" * 107, 108, False),
        (b"x" * 108, 1000, True),
        (b"\0" * 108, 1000, False),
        (b"#!" + b"x" * 106, 1000, False),
        (TAR[:108], 1000, False),
        (TAR[:261], 1000, False),
        (TAR[:262], 1000, True),
    ],
)
def test_is_enough(head: bytes, size: int, expected: bool) -> None:
    assert is_enough(head, size) is expected


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (magic(3627)[:2] + b"\n" + bytes(4) + TIME_SIZE + CODE_312, True),
        (magic(3627)[:2] + b"\n" + b"\1\0\0\0abcd\nef" + CODE_312, True),
        (magic(3627)[:2] + b"\n" + b"\1\0\0\0abcd\r\nef" + CODE_312, True),
        (magic(3627)[:2] + b"\n" + b"\1\0\0\0abcde\nef" + CODE_312, False),
        (magic(3627)[:2] + b"\n" + b"\1\0\0\0$Id$" + CODE_312, True),
        (magic(3627) + bytes(4) + TIME_SIZE + CODE_312, True),
        (b"\0\n\0\n" * 20, False),
        (magic(3627)[:2] + b"\n" + TEXT + b"abcd" + b"z\4a=10", False),
        (b"abcd\n\0", False),
        # The last byte of the number is a CR, so that git takes the LF for the end of a line with CR.
        (magic(3531)[:2] + b"\n" + bytes(4) + TIME_SIZE + CODE_312, False),
        (b"", False),
    ],
)
def test_may_become_bytecode(stored: bytes, expected: bool) -> None:
    assert may_become_bytecode(stored) is expected


@given(
    parts=st.lists(
        st.sampled_from(
            [
                *(head for _, head in HITS),
                TAR,
                TAR[:257],
                b"ustar",
                b"#!",
                b"\n",
                b"PK\3\4",
                b"x" * 40,
            ]
        )
        | st.binary(max_size=60),
        max_size=9,
    ),
    length=st.integers(0, 300),
)
def test_what_is_enough_is_judged_like_the_whole_file(parts: list[bytes], length: int) -> None:
    whole = b"".join(parts)
    head = whole[:length]
    if is_enough(head, len(whole)):
        for judge in (is_archive, is_lfs_pointer, may_become_bytecode):
            assert judge(head) is judge(whole)
        assert is_bytecode(head[:HEAD_BYTES]) is is_bytecode(whole[:HEAD_BYTES])
