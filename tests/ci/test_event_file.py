"""The event file is untrusted: only a JSON object in a regular file of a usual size is read."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.ci import event_file
from pycache_guard.ci.event_file import read_event
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from pathlib import Path

BAD = [
    (b"", "is not JSON"),
    (b"{", "is not JSON"),
    (b"\xff\xfe\xff", "is not JSON"),
    (b'{"a": 1}x', "is not JSON"),
    (b"[" * 100_000, "is not JSON"),
    (b'{"a": ' + b"1" * 5000 + b"}", "is not JSON"),
    (b"[]", "is not a JSON object"),
    (b"null", "is not a JSON object"),
    (b'"before"', "is not a JSON object"),
]


@pytest.mark.parametrize(("data", "message"), BAD, ids=range(len(BAD)))
def test_file_that_is_no_event_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(data)
    with pytest.raises(Failure, match=message):
        read_event(os.fspath(file))


def test_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_file, "MAX_EVENT_BYTES", 1 << 20)
    file = tmp_path / "event.json"
    file.write_bytes(b'{"a": "' + b"x" * ((1 << 20) - 9) + b'"}')
    assert read_event(os.fspath(file)).keys() == {"a"}
    file.write_bytes(b'{"a": "' + b"x" * (1 << 20) + b'"}')
    with pytest.raises(Failure, match="is larger than 1 MiB"):
        read_event(os.fspath(file))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "missing", tmp_path, tmp_path / "a\0b"]
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        paths.append(tmp_path / "pipe")
    for path in paths:
        with pytest.raises(Failure, match="cannot be read") as raised:
            read_event(str(path))
        assert re.match("the event file ", str(raised.value))


def test_unknown_keys_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": {"b": [1]}}'[3:])
    assert read_event(os.fspath(file)) == {"a": {"b": [1]}}
