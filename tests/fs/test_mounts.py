"""Other paths of what is mounted twice, by tables as Linux writes them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.fs import mounts

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform == "win32", reason="only Linux has a table of mounts")
ROOT = "21 1 8:1 / / rw - ext4 /dev/sda1 rw"


def write_table(path: Path, *lines: str) -> str:
    table = path / "table"
    table.write_text("".join(f"{line}\n" for line in (ROOT, *lines)))
    return str(table)


@linux
@pytest.mark.parametrize("below", ["", "/sub"])
def test_source_of_a_bind_mount_is_found(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same directory under two paths: here by a link, for tests cannot mount everywhere."""
    (tmp_path / "a b" / "sub").mkdir(parents=True)
    (tmp_path / "other").symlink_to("a b")
    line = f"36 21 8:1 {tmp_path}/other {tmp_path}/a\\040b rw - ext4 /dev/sda1 rw"
    monkeypatch.setattr(mounts, "TABLE", write_table(tmp_path, line))
    found = [*mounts.find_sources(f"{tmp_path}/a b{below}")]
    assert found == [((), f"{tmp_path}/other{below}")]
    assert [*mounts.find_sources(str(tmp_path))] == [(("a b",), f"{tmp_path}/other")]


@linux
def test_mount_of_another_directory_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    lines = [f"36 21 8:1 /{tmp_path}/{n} {tmp_path}/a rw - ext4 x rw" for n in ("b", "gone")]
    monkeypatch.setattr(mounts, "TABLE", write_table(tmp_path, *lines))
    assert [*mounts.find_sources(str(tmp_path / "a"))] == []


@linux
def test_source_of_a_bind_mount_is_found_below_another_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After chroot(2) no line of the table is about `/`."""
    (tmp_path / "a").mkdir()
    (tmp_path / "other").symlink_to("a")
    line = f"36 21 8:1 /root{tmp_path}/other {tmp_path}/a rw - ext4 /dev/sda1 rw"
    (tmp_path / "table").write_text(f"{line}\n")
    monkeypatch.setattr(mounts, "TABLE", str(tmp_path / "table"))
    assert [*mounts.find_sources(str(tmp_path / "a"))] == [((), f"{tmp_path}/other")]
    assert [*mounts.find_sources(str(tmp_path))] == [(("a",), f"{tmp_path}/other")]


def test_system_without_mount_table_has_no_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "TABLE", str(tmp_path / "none"))
    assert [*mounts.find_sources(str(tmp_path))] == []
