from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.remedies import (
    append_command,
    full_program,
    literal_pathspec,
    program,
    rewrite_history,
    rewrite_unpushed,
    shell_quote,
    translate_for_windows,
    untrack_command,
)

if TYPE_CHECKING:
    from pathlib import Path

BYTES = st.binary(min_size=1, max_size=12).filter(lambda data: 0 not in data)


@pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")
@given(
    st.lists(
        BYTES
        | st.sampled_from(
            [b"-n", b"'", b'"', b"$(x)", b"!x", b"\\", b"\n", b"##[x]", b"####a", b"::a"]
        )
    )
)
def test_shell_quote_is_read_back_by_bash(words: list[bytes]) -> None:
    command = "printf '%s\\0' " + " ".join(shell_quote(os.fsdecode(word)) for word in words)
    assert command.isprintable()
    assert "##" not in command
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
def test_literal_pathspec_table(path: str, rooted: bool, expected: str) -> None:
    assert literal_pathspec(path, rooted=rooted) == expected


def test_untrack_command_table() -> None:
    assert untrack_command("a b.pyc", rooted=False) == "git rm -r -f --cached -- 'a b.pyc'"
    assert (
        untrack_command("a", rooted=True, sparse=True)
        == "git rm -r -f --cached --sparse -- ':(top)a'"
    )


@pytest.mark.parametrize(
    ("after_newline", "expected"),
    [
        (True, "printf '%s\\n' '*.pyc' x >> .gitignore"),
        (False, "printf '%s\\n' '' '*.pyc' x >> .gitignore"),
    ],
)
def test_append_command_table(after_newline: bool, expected: str) -> None:
    found = append_command(".gitignore", ["*.pyc", "x"], after_newline=after_newline)
    assert found == expected


REWRITTEN = [
    (["b c", "a", "-x", "caf\udce9"], "--path=-x --path a --path 'b c' --path $'caf\\xe9'"),
    ([f"{n}/m.pyc" for n in range(10)], " ".join(f"--path {n}/m.pyc" for n in range(10))),
    ([f"{n}/m.pyc" for n in range(11)], "--path-glob '*.pyc'"),
    (
        [*(f"{n}.pyc" for n in range(9)), "A.PYC", "b.png"],
        "--path-glob '*.PYC' --path-glob '*.pyc' --path b.png",
    ),
    ([f"{n}$py.class" for n in range(99)], "--path-glob '*$py.class'"),
]


@pytest.mark.parametrize(("paths", "options"), REWRITTEN)
@pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")
def test_rewrite_history_names_few_paths_or_the_ends_of_many(
    paths: list[str], options: str
) -> None:
    command = rewrite_history(paths, "origin", is_bare=False)
    assert command is not None
    assert f" filter-repo --invert-paths {options} && " in command
    assert '"$(git remote get-url origin)"' in command


def test_rewrite_history_of_too_many_names_is_no_command() -> None:
    assert rewrite_history([], "origin", is_bare=False) is None
    assert rewrite_history([f"{n}.png" for n in range(11)], "origin", is_bare=False) is None
    many = [*(f"{n}.png" for n in range(10)), "a.pyc"]
    assert rewrite_history(many, None, is_bare=True) is None
    assert rewrite_unpushed(many, [], tip="t", base="b", is_amend=False, sparse=False) is None


#: Commands, and what of them is shown on Windows.
WINDOWS = [
    ("git rm -r -f --cached -- a.pyc", "git rm -r -f --cached -- a.pyc"),
    ("git rm -- 'a b.pyc'", 'git rm -- "a b.pyc"'),
    ("git rm -- ':(top)a.pyc'", 'git rm -- ":(top)a.pyc"'),
    ("git rm -- größe.pyc", 'git rm -- "größe.pyc"'),
    (
        "git rm -- a.pyc && git commit -m 'Remove it'",
        'git rm -- a.pyc && git commit -m "Remove it"',
    ),
    ("git rm -- ':(literal)a*.pyc'", 'git rm -- ":(literal)a*.pyc"'),
    ("pycache-guard fix", "pycache-guard fix"),
    ("remove the allowance", "remove the allowance"),
    ("git rm -- 'x\u2019;calc;\u2019.pyc'", None),
    ("git rm -- 'a&calc&.pyc'", None),
    ("git rm -- 'a`calc`.pyc'", None),
    ("git rm -- 'a$(calc).pyc'", None),
    ("git rm -- 'a%PATH%.pyc'", None),
    ("git rm -- 'a!x!.pyc'", None),
    ("git rm -- 'a\u201ccalc.pyc'", None),
    ("git rm -- 'a|calc.pyc'", None),
    ("git rm -- 'a^.pyc'", None),
    ("git rm -- 'a\"b.pyc'", None),
    ("git rm -- 'a'\"'\"'b.pyc'", None),
    ("git rm -- 'a\\b.pyc'", None),
    ("git rm -- $'a\\x0ab.pyc'", None),
    ("git rm -- $'caf\\xe9.pyc'", None),
    ("git rm -- '&&' calc", None),
    ("git rm -- '<x>.pyc'", None),
    ("printf '%s\\n' '*.pyc' >> .gitignore && git add -f -- .gitignore", None),
    ("rm -f -- a.pyc", None),
    ("sudo rm -rf -- a", None),
    ("clone=$(mktemp -d) && git clone x", None),
]


@pytest.mark.parametrize(("command", "expected"), WINDOWS)
def test_commands_on_windows_have_plain_names_alone(command: str, expected: str | None) -> None:
    assert translate_for_windows(command) == expected


@given(st.text(st.sampled_from("ab .\u2019'\"`$%^&|<>()\\\n#é!;"), min_size=1))
def test_names_in_commands_on_windows_hold_nothing_that_a_shell_reads(name: str) -> None:
    command = translate_for_windows(f"git rm -- {shell_quote(name)}")
    if command is not None:
        assert not set("'`$%^&|<>\\!\n\u2019") & set(command)
        assert command.count('"') in (0, 2)


def test_program_outside_path_is_a_quoted_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person can paste the command although only a hook runner knows the script."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(sys, "argv", [os.path.join("a b", "pycache-guard")])
    assert program() == shell_quote(os.fspath(tmp_path / "a b" / "pycache-guard"))


@pytest.mark.parametrize("package", ["pycache_guard", "other"])
def test_program_started_as_a_module_is_named_with_its_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(sys, "argv", [os.fspath(tmp_path / package / "__main__.py")])
    monkeypatch.setattr(sys, "executable", "/a b/python")
    ours = package == "pycache_guard"
    assert program() == ("'/a b/python' -m pycache_guard" if ours else "pycache-guard")


@pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")
def test_full_program_does_not_depend_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "pycache-guard"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert program() == "pycache-guard"
    assert full_program() == os.fspath(script)
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "empty"))
    assert full_program() == "pycache-guard"


def test_program_of_another_script_is_the_plain_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script such as flake8 is no command of this program."""
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(sys, "argv", [os.fspath(tmp_path / "flake8")])
    assert program() == "pycache-guard"
