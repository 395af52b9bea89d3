"""Findings for every format: plain, placed, odd and of no file."""

from __future__ import annotations

from helpers.posix_names import decode_posix_name
from pycache_guard.findings import Finding, Rule

PLAIN = Finding("a.pyc", Rule.PYC001, "bytecode is tracked", "git rm a.pyc", blob="0" * 40)
PLACED = Finding(
    "p q.toml", Rule.PYC003, "the allow entry `x`", hint="remove it",
    line=3, column=5, end_line=3, end_column=9,
)  # fmt: skip
ODD = Finding(decode_posix_name(b"\xff,:%\n\r/x y.pyc"), Rule.PYC001, "50 %\nof\rit", "git rm '%'")
NOWHERE = Finding(None, Rule.PYC003, "no file", commit="1" * 40, size=7)
ALL = [PLAIN, PLACED, ODD, NOWHERE]
