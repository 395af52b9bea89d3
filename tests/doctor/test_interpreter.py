from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.doctor.interpreter import describe_interpreter, describe_writing, is_redirected
from pycache_guard.interpreters.identity import Interpreter

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for Python")


def test_facts_name_version_tag_and_magic() -> None:
    python = Interpreter("/p", b"\xf3\r\r\n", "cpython", "3.13.0", "cpython-313")
    facts = describe_interpreter(python).facts
    assert [fact.value for fact in facts] == [
        "cpython 3.13.0, /p",
        "cpython-313",
        "3571 (f3 0d 0d 0a): CPython 3.13",
    ]
    assert facts[2].data == {"number": 3571, "bytes": "f30d0d0a"}
    odd = describe_interpreter(python._replace(tag="", magic=b"abcd")).facts
    assert [fact.value for fact in odd[1:]] == ["none", "25185 (61 62 63 64): not known"]


NEW = Interpreter("python", b"\xf3\r\r\n", "cpython", "3.13.0", "cpython-313")
OLD = NEW._replace(version="3.7.1")
BESIDE = "__pycache__ next to each source"

FACTS = [
    (NEW, {}, "yes", BESIDE),
    (NEW, {"PYTHONDONTWRITEBYTECODE": ""}, "yes", BESIDE),
    (
        NEW,
        {"PYTHONDONTWRITEBYTECODE": "0"},
        "no: PYTHONDONTWRITEBYTECODE is set",
        BESIDE,
    ),
    (NEW, {"PYTHONPYCACHEPREFIX": ""}, "yes", BESIDE),
    (
        OLD,
        {"PYTHONPYCACHEPREFIX": "/p"},
        "yes",
        f"{BESIDE}: Python 3.7.1 ignores PYTHONPYCACHEPREFIX",
    ),
]


@pytest.mark.parametrize(("python", "environment", "written", "place"), FACTS)
def test_facts_say_whether_and_where_bytecode_is_written(
    python: Interpreter, environment: dict[str, str], written: str, place: str, tmp_path: Path
) -> None:
    result = describe_writing(python, environment, str(tmp_path))
    assert [fact.value for fact in result.facts] == [written, place]
    assert result.findings == []


def prefixed(prefix: str, root: Path) -> list[tuple[str | None, str, str | None]]:
    """Return what is said of a prefix."""
    result = describe_writing(NEW, {"PYTHONPYCACHEPREFIX": prefix}, str(root))
    assert result.facts[1].value == f"{prefix} (PYTHONPYCACHEPREFIX)"
    assert {finding.rule.name for finding in result.findings} <= {"PYC602"}
    return [(finding.path, finding.message, finding.fix) for finding in result.findings]


ELSEWHERE = "export PYTHONPYCACHEPREFIX=~/.cache/pycache"


def test_prefix_outside_the_checkout_is_accepted(tmp_path: Path) -> None:
    assert prefixed(str(tmp_path / "new" / "prefix"), tmp_path / "root") == []
    # Beside the checkout, and of a name that begins like it.
    assert prefixed(str(tmp_path / "root-cache"), tmp_path / "root") == []


def test_relative_prefix_is_reported(tmp_path: Path) -> None:
    ((path, message, remedy),) = prefixed(".cache", tmp_path)
    assert (path, remedy) == (None, ELSEWHERE)
    assert message.startswith("PYTHONPYCACHEPREFIX is relative (.cache): ")


def test_prefix_inside_the_checkout_is_reported(tmp_path: Path) -> None:
    for inside, path in ((tmp_path / "a" / "b", "a/b"), (tmp_path, ".")):
        ((where, message, remedy),) = prefixed(str(inside), tmp_path)
        assert (where, remedy) == (path, ELSEWHERE)
        assert message.startswith("PYTHONPYCACHEPREFIX is inside the checkout")


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_prefix_that_links_into_the_checkout_is_reported(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "link").symlink_to("root")
    ((where, message, _),) = prefixed(str(tmp_path / "link" / "c"), tmp_path / "root")
    assert where == "c"
    assert message.startswith("PYTHONPYCACHEPREFIX is inside the checkout")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX permissions")
def test_unwritable_prefix_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode != os.W_OK | os.X_OK or path != str(tmp_path)
    )
    ((where, message, remedy),) = prefixed(str(tmp_path / "p q" / "r"), tmp_path / "root")
    assert where is None
    assert message.endswith("Python cannot write any cache")
    assert remedy == f"""sudo install -d -o "$(id -u)" -- '{tmp_path}/p q/r'"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX permissions")
@pytest.mark.parametrize(
    ("mode", "remedy"), [(0o777, "chmod o-w -- {}"), (0o1777, ELSEWHERE), (0o775, None)]
)
def test_world_writable_prefix_is_reported(mode: int, remedy: str | None, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    prefix.chmod(mode)
    found = prefixed(str(prefix), tmp_path / "root")
    assert [r for _, _, r in found] == ([] if remedy is None else [remedy.format(prefix)])
    assert all("writable for every user" in message for _, message, _ in found)


@pytest.mark.parametrize(
    ("python", "environment", "expected"),
    [
        (NEW, {}, False),
        (NEW, {"PYTHONPYCACHEPREFIX": ""}, False),
        (NEW, {"PYTHONPYCACHEPREFIX": "/p"}, True),
        (OLD, {"PYTHONPYCACHEPREFIX": "/p"}, False),
    ],
)
def test_prefix_is_in_effect_since_python_3_8(
    python: Interpreter, environment: dict[str, str], expected: bool
) -> None:
    assert is_redirected(python, environment) is expected
