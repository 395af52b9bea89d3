"""What stands in repositories under the name of bytecode.

Bodies without a header, HTML pages of failed downloads and renamed sources: answers to "bad magic number" in public issues.
"""

from __future__ import annotations

import marshal
import pickle

import pytest

from pycache_guard.bytecode.contents import describe_content

TABLE = [
    (b"", "nothing"),
    (bytes(64), "zero bytes only"),
    (marshal.dumps(compile("x = 1", "m.py", "exec")), "marshalled code without a header"),
    (b"c" + bytes(40), "marshalled code without a header"),
    (pickle.dumps([1]), "a pickle"),
    (b"<!DOCTYPE html>\n<html>", "an HTML page"),
    (b"\n\n<html lang=en>", "an HTML page"),
    (b"\xef\xbb\xbf<!doctype HTML>", "an HTML page"),
    (b'<?xml version="1.0"?><!-- a --><html>', "an HTML page"),
    (b"PK\x03\x04\x14", "a zip archive"),
    (b"\x1f\x8b\x08", "a gzip file"),
    (b"\x7fELF\x02", "an ELF file"),
    (b"MZ\x90\0", "a Windows program or library"),
    (b"<<<<<<< HEAD\nimport os\n", "text with marks of a merge conflict"),
    (b"import os\n", "Python source"),
    (b"\xef\xbb\xbfimport os\r\n", "Python source"),
    (b"#!/usr/bin/env python3\n", "Python source"),
    (b"# -*- coding: latin-1 -*-\n# \xe9\n", "Python source"),
    (b"\n\nfrom . import a\n", "Python source"),
    (b"class A:\n    pass\n", "Python source"),
    (b"x = 1\n", "Python source"),
    (b'{"message": "Not Found"}', "text"),
    (b"404: Not Found", "text"),
    (b"\xff\xfei\0m\0", "UTF-16 text"),
    (b"\1\2\3\4", None),
    (b"\xf3\r\r\n\0\0", None),
]


@pytest.mark.parametrize(("data", "expected"), TABLE)
def test_describe_content(data: bytes, expected: str | None) -> None:
    assert describe_content(data) == expected
