from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.remedies import LONG
from pycache_guard.remedies import append
from pycache_guard.remedies import forget
from pycache_guard.remedies import pathspec
from pycache_guard.remedies import quoted
from pycache_guard.remedies import untrack

BYTES = st.binary(min_size=1, max_size=12).filter(lambda data: 0 not in data)


@given(st.lists(BYTES | st.sampled_from([b"-n", b"'", b'"', b"$(x)", b"!x", b"\\", b"\n"])))
def test_bash_reads_what_was_meant(words: list[bytes]) -> None:
    command = "printf '%s\\0' " + " ".join(quoted(os.fsdecode(word)) for word in words)
    assert command.isprintable()
    done = subprocess.run(["bash", "-c", command + " end"], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == [*words, b"end"]


PATHSPECS = [
    ("a.pyc", False, "a.pyc"),
    ("a.pyc", True, ":(top)a.pyc"),
    ("-a.pyc", False, "-a.pyc"),
    ("a*.pyc", False, ":(literal)a*.pyc"),
    ("a?.pyc", True, ":(top,literal)a?.pyc"),
    ("[a].pyc", False, ":(literal)[a].pyc"),
    ("a\\b.pyc", False, ":(literal)a\\b.pyc"),
    (":a.pyc", False, ":(literal):a.pyc"),
    (":a.pyc", True, ":(top):a.pyc"),
    ("b:a.pyc", False, "b:a.pyc"),
]


@pytest.mark.parametrize(("path", "rooted", "expected"), PATHSPECS)
def test_pathspec(path: str, rooted: bool, expected: str) -> None:
    assert pathspec(path, rooted=rooted) == expected


def test_untrack() -> None:
    assert untrack("a b.pyc", rooted=False) == "git rm -r -f --cached -- 'a b.pyc'"
    assert untrack("a", rooted=True, sparse=True) == "git rm -r -f --cached --sparse -- ':(top)a'"


@pytest.mark.parametrize(
    ("after_newline", "sparse", "expected"),
    [
        (True, False, "printf '%s\\n' '*.pyc' x >> .gitignore && git add -f -- .gitignore"),
        (False, False, "printf '%s\\n' '' '*.pyc' x >> .gitignore && git add -f -- .gitignore"),
        (True, True, "printf '%s\\n' '*.pyc' x >> .gitignore && git add -f --sparse -- .gitignore"),
    ],
)
def test_append(after_newline: bool, sparse: bool, expected: str) -> None:
    told = append(".gitignore", ["*.pyc", "x"], after_newline=after_newline, sparse=sparse)
    assert told == expected


def test_forget() -> None:
    """One command for all, unless it gets too long; odd paths quoted."""
    paths = ["b c", "a", "-x", "caf\udce9", "a"]
    command = "git filter-repo --invert-paths --path=-x --path a --path 'b c' --path $'caf\\xe9'"
    assert forget(paths) == dict.fromkeys(paths, command)
    assert forget([]) == {}
    many = [f"{n:04}/{'x' * 100}.pyc" for n in range(100)]
    commands = forget(reversed(many))
    assert list(commands) == many
    assert len(set(commands.values())) == 3
    for path, command in commands.items():
        assert f" --path {path}" in command
        assert len(command) < LONG + 120
    assert "".join(dict.fromkeys(commands.values())).count("--path ") == 100
