from __future__ import annotations

import sys

import pytest

from bytecode.check_interpreter_tables import matches_tables
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.tampering import OPCODES


def test_magics_are_releases_that_specialise() -> None:
    for number in OPCODES:
        magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
        assert magic is not None
        assert magic.implementation == "CPython"
        assert magic.released
        assert number >= 3495


def test_caches_belong_to_written_instructions() -> None:
    for written, caches in OPCODES.values():
        assert set(caches) < written
        assert all(0 < units < 11 for units in caches.values())


def test_cache_itself_is_never_an_instruction() -> None:
    for written, _ in OPCODES.values():
        assert 0 not in written
        assert len(written) > 100
        assert all(opcode < 236 for opcode in written)


@pytest.mark.skipif(
    sys.version_info.releaselevel != "final", reason="of pre-releases there is no table"
)
def test_tables_agree_with_this_interpreter(capsys: pytest.CaptureFixture[str]) -> None:
    """What it prints belongs into the tables."""
    agreed = matches_tables(sys.executable)
    assert agreed, capsys.readouterr().out
