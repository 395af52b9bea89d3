"""Unusual environment variables of git, Python and the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    Call,
    Sandbox,
    assert_clean_exit,
    copied,
    every_call,
    every_command,
    posix,
    slow,
)
from helpers.git_version import is_git_older_than

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.repo import Result

pytestmark = posix

#: All at once: none changes a result, or makes git run a program or write a file.
HARMLESS = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "1",
    "GIT_EXTERNAL_DIFF": "{program}",
    "GIT_PAGER": "{program}",
    "GIT_EDITOR": "{program}",
    "GIT_SEQUENCE_EDITOR": "{program}",
    "GIT_ASKPASS": "{program}",
    "GIT_SSH": "{program}",
    "GIT_SSH_COMMAND": "{program}",
    "GIT_PROXY_COMMAND": "{program}",
    "SSH_ASKPASS": "{program}",
    "PAGER": "{program}",
    "EDITOR": "{program}",
    "VISUAL": "{program}",
    "BROWSER": "{program}",
    "GIT_DIFF_OPTS": "--unified=0",
    "GIT_FLUSH": "1",
    "GIT_MERGE_VERBOSITY": "5",
    "GIT_REFLOG_ACTION": "x",
    "GIT_NOTES_REF": "refs/heads/main",
    "GIT_REPLACE_REF_BASE": "refs/heads/",
    "GIT_GRAFT_FILE": "{program}",
    "GIT_DEFAULT_HASH": "sha256",
    "GIT_ATTR_SOURCE": "HEAD",
    "GIT_ADVICE": "1",
    "GIT_PROTOCOL": "version=2",
    "GIT_ALLOW_PROTOCOL": "ext:file:https",
    "GIT_TERMINAL_PROMPT": "1",
    "GIT_NO_LAZY_FETCH": "0",
    # PyPy itself does not read its input in a locale that is not there.
    "LC_ALL": "C" if sys.implementation.name == "pypy" else "tr_TR.UTF-8",
    "LANGUAGE": "de:fr",
    "LANG": "no_such.LOCALE",
    "TERM": "no-such-terminal",
    "COLUMNS": "1",
    "LINES": "-1",
    "TZ": ":/no/such/zone",
    "CDPATH": "/",
    "IFS": "/",
    "POSIXLY_CORRECT": "1",
    "NO_COLOR": "1",
    "SHELLOPTS": "xtrace",
    "SOURCE_DATE_EPOCH": "nonsense",
    "PRE_COMMIT": "1",
}


def run(scene: Sandbox, tmp_path: Path, call: Call, table: dict[str, str]) -> Result:
    """Run with variables; `{program}` becomes a program that must not run."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/witness\n")
    program.chmod(0o755)
    env = {name: value.replace("{program}", os.fspath(program)) for name, value in table.items()}
    result = scene.run(call, env=env)
    assert not (tmp_path / "witness").exists()
    assert_clean_exit(result)
    return result


def same(call: Call, result: Result, usual: Result) -> None:
    """Check that the result is unchanged; `doctor` may describe the environment."""
    assert (result.code, result.err) == (usual.code, usual.err)
    assert result.out == usual.out or call.command == "doctor"


@every_call(4)
def test_what_changes_nothing(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    same(call, run(scene, tmp_path, call, HARMLESS), scene.baseline(call))


#: These change colours, and the directory that printed paths start from, but no result.
PRESENTATION = {"FORCE_COLOR": "1", "NO_COLOR": "", "GIT_PREFIX": "pkg/"}


@every_call(4)
def test_presentation_does_not_change_the_result(
    scene: Sandbox, tmp_path: Path, call: Call
) -> None:
    result, usual = run(scene, tmp_path, call, PRESENTATION), scene.baseline(call)
    assert (result.code, result.err) == (usual.code, usual.err)
    assert result.out.count("PYC") >= usual.out.count("PYC")


NO_LOCALE = {"no such locale": {"LC_ALL": "xx_YY.no-such"}}
#: One at a time, because some exclude each other.
ALONE: dict[str, dict[str, str]] = {
    "glob": {"GIT_GLOB_PATHSPECS": "1"},
    "noglob": {"GIT_NOGLOB_PATHSPECS": "1"},
    "icase": {"GIT_ICASE_PATHSPECS": "1"},
    "trace": {"GIT_TRACE": "2", "GIT_TRACE_SETUP": "2", "GIT_TRACE_PERFORMANCE": "2"},
    "trace2": {"GIT_TRACE2": "2", "GIT_TRACE2_EVENT": "2", "GIT_TRACE2_PERF": "2"},
    "trace to stdin": {"GIT_TRACE": "0"},
    "parameters": {"GIT_CONFIG_PARAMETERS": "'core.fsmonitor={program}' 'diff.external={program}'"},
    "count": {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "{program}",
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_VALUE_1": "/no/such/hooks",
    },
    "ceiling": {"GIT_CEILING_DIRECTORIES": "/"},
    "across": {"GIT_DISCOVERY_ACROSS_FILESYSTEM": "true"},
    "no home": {"HOME": ""},
    "a home that is a file": {"HOME": "/dev/null"},
    "a home that is not there": {"HOME": "/no/such/home", "XDG_CONFIG_HOME": "/no/such/xdg"},
    "C": {"LC_ALL": "C", "LANG": "C"},
    "POSIX": {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    # PyPy itself does not start then.
    **({} if sys.implementation.name == "pypy" else NO_LOCALE),
    "python developer": {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error", "PYTHONMALLOC": "debug"},
    "python optimized": {"PYTHONOPTIMIZE": "2"},
    "python hash seed": {"PYTHONHASHSEED": "0"},
    "python no digits": {"PYTHONINTMAXSTRDIGITS": "640"},
    "python unbuffered": {"PYTHONUNBUFFERED": "1"},
    "python legacy": {"PYTHONLEGACYWINDOWSSTDIO": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    "python breakpoint": {"PYTHONBREAKPOINT": "pdb.set_trace", "PYTHONFAULTHANDLER": "1"},
}
if not is_git_older_than(31):
    ALONE["parameters in the newer form"] = {
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor'='{program}' 'diff.external'='{program}'"
    }


@pytest.mark.parametrize("name", ALONE)
def test_each_by_itself(scene: Sandbox, tmp_path: Path, name: str) -> None:
    for call in (Call("forbid-bytecode"), Call("check-gitignore")):
        same(call, run(scene, tmp_path, call, ALONE[name]), scene.baseline(call))


@slow
@every_call(5)
def test_each_by_itself_with_every_call(template: Path, tmp_path: Path, call: Call) -> None:
    for number, table in enumerate(ALONE.values()):
        scene = copied(template, tmp_path / str(number))
        same(call, run(scene, tmp_path, call, table), scene.baseline(call))


#: Values of `PATH`, and of others, that lead into the checkout.
LEADS = {
    "an empty entry before": {"PATH": ":{path}"},
    "an empty entry between": {"PATH": "/no/such/directory::{path}"},
    "a dot": {"PATH": ".:{path}"},
    "a directory below": {"PATH": "pkg:{path}"},
    "a detour": {"PATH": "../{name}:{path}"},
    "a tilde": {"PATH": "~:{path}"},
    "pyenv": {"PYENV_ROOT": "."},
    "a home": {"HOME": ".", "XDG_DATA_HOME": "."},
    "a home and pyenv below": {"HOME": "pkg", "PYENV_ROOT": "pkg"},
}
#: Programs of these names are looked for by this one, and by git.
LOOKED_FOR = ("git", "python3", "python3.11", "python3.9", "python", "git-ls-files", "sh")


@every_command(36)
@pytest.mark.parametrize("name", LEADS)
def test_l5_no_program_of_the_checkout_is_run(
    template: Path, tmp_path: Path, call: Call, name: str
) -> None:
    scene = copied(template, tmp_path / "scene")
    usual = scene.baseline(call)
    witness = tmp_path / "witness"
    for directory in (
        *("", "pkg", "versions/3.9/bin", ".pyenv/versions/3.9/bin", "pkg/versions/3.9/bin"),
        *("pkg/.pyenv/versions/3.9/bin", "~", ".local/share/uv/python/cpython-3.9/bin"),
    ):
        (scene.path / directory).mkdir(parents=True, exist_ok=True)
        for program in LOOKED_FOR:
            planted = scene.path / directory / program
            planted.write_text(f'#!/bin/sh\necho "$0 $*" >> {witness}\nexit 0\n')
            planted.chmod(0o755)
    # A cache of an interpreter that is to be looked for.
    scene.repo.write("pkg/__pycache__/m.cpython-39.pyc", b"\x61\r\r\n" + bytes(12) + b"N")
    env = {
        variable: value.format(path=os.environ["PATH"], name=scene.path.name)
        for variable, value in LEADS[name].items()
    }
    result = scene.run(call, env=env)
    assert not witness.exists(), witness.read_text()
    assert_clean_exit(result)
    assert result.code == usual.code


@pytest.mark.parametrize("path", ["", ":", ".", "pkg", "../scene"])
def test_l5_git_in_the_checkout_alone_is_none(scene: Sandbox, path: str) -> None:
    for directory in ("", "pkg"):
        planted = scene.path / directory / "git"
        planted.write_text("#!/bin/sh\nexit 0\n")
        planted.chmod(0o755)
    result = scene.run(Call("forbid-bytecode"), env={"PATH": path})
    expected = "error: git was not found on PATH: install git 2.25 or later\n"
    assert result == (2, "", expected)


@pytest.mark.parametrize("command", ["doctor", "verify-bytecode"])
def test_l5_an_interpreter_that_is_named_is_none_of_the_checkout(
    scene: Sandbox, tmp_path: Path, command: str
) -> None:
    """`--python NAME` is searched on PATH; a path is used as it is."""
    planted = scene.path / "python3.99"
    planted.write_text(f"#!/bin/sh\ntouch {tmp_path}/witness\nexit 1\n")
    planted.chmod(0o755)
    for path in (f".:{os.environ['PATH']}", f"{os.environ['PATH']}:", os.environ["PATH"]):
        result = scene.run(Call(command, ("--python", "python3.99")), env={"PATH": path})
        assert_clean_exit(result)
        assert result.code == 2
        assert "python3.99: " in result.err
    assert not (tmp_path / "witness").exists()
    assert scene.run(Call(command, ("--python", "./python3.99"))).code == 2
    assert (tmp_path / "witness").exists()


#: git is directed to a missing or invalid file.
ELSEWHERE: dict[str, dict[str, str]] = {
    "no such repository": {"GIT_DIR": "/no/such/directory"},
    "a file for a repository": {"GIT_DIR": "/dev/null"},
    "no such work tree": {"GIT_WORK_TREE": "/no/such/directory"},
    "no such common directory": {"GIT_COMMON_DIR": "/no/such/directory"},
    "no such objects": {"GIT_OBJECT_DIRECTORY": "/no/such/directory"},
    "an index that is none": {"GIT_INDEX_FILE": "{program}"},
    "no such index": {"GIT_INDEX_FILE": "/no/such/file"},
    "a directory for an index": {"GIT_INDEX_FILE": "/"},
    "a quarantine": {"GIT_QUARANTINE_PATH": "/no/such/directory"},
    "parameters that are none": {"GIT_CONFIG_PARAMETERS": "nonsense'"},
    "a count that is none": {"GIT_CONFIG_COUNT": "many"},
    "both globs": {"GIT_GLOB_PATHSPECS": "1", "GIT_NOGLOB_PATHSPECS": "1"},
    "no such programs": {"GIT_EXEC_PATH": "/no/such/directory"},
    "a namespace": {"GIT_NAMESPACE": "elsewhere"},
    "a shallow file": {"GIT_SHALLOW_FILE": "/no/such/file"},
    "a submodule's prefix": {"GIT_INTERNAL_SUPER_PREFIX": ""},
    "a ceiling here": {"GIT_CEILING_DIRECTORIES": "{here}"},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_git_is_sent_elsewhere(scene: Sandbox, tmp_path: Path, name: str) -> None:
    check_elsewhere(scene, tmp_path, Call("forbid-bytecode"), ELSEWHERE[name])


@slow
@every_call(6)
def test_git_is_sent_elsewhere_with_every_call(template: Path, tmp_path: Path, call: Call) -> None:
    for number, table in enumerate(ELSEWHERE.values()):
        check_elsewhere(copied(template, tmp_path / str(number)), tmp_path, call, table)


def check_elsewhere(scene: Sandbox, tmp_path: Path, call: Call, table: dict[str, str]) -> None:
    """Never pass, and never remove what is tracked."""
    table = {name: value.replace("{here}", os.fspath(scene.path)) for name, value in table.items()}
    before = scene.state()
    result = run(scene, tmp_path, call, table)
    assert result.code or call.command == "clean", table
    assert scene.unexpected_files() == []
    gone = before.keys() - scene.state().keys()
    assert (
        all("gone" in name or "old/" in name for name in gone)
        or "--include-tracked" in call.options
    )


@every_command(4)
def test_another_repository_is_meant(
    template: Path, scene: Sandbox, tmp_path: Path, call: Call
) -> None:
    """GIT_DIR and GIT_WORK_TREE together, from outside."""
    away = tmp_path / "away"
    away.mkdir()
    (away / "old").mkdir()
    process = subprocess.run(
        ["env", "-C", os.fspath(away), "pycache-guard", *call.argv],
        env={
            **os.environ,
            "PATH": f"{os.path.dirname(shutil.which('pycache-guard') or '')}:{os.environ['PATH']}",
            "GIT_DIR": os.fspath(scene.path / ".git"),
            "GIT_WORK_TREE": os.fspath(scene.path),
        },
        input=scene.given(call),
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in process.stderr
    assert process.returncode or call.command == "clean"


@every_command(5)
def test_no_home(scene: Sandbox, call: Call) -> None:
    """Without any variable; the system may not know the user."""
    from conftest import PROGRAM

    unset = ("env", "-u", "HOME", "-u", "XDG_CONFIG_HOME", "-u", "USERPROFILE", "-u", "TMPDIR")
    result = scene.run(call, program=(*unset, os.fspath(PROGRAM)))
    assert_clean_exit(result)
    same(call, result, scene.baseline(call))


@every_command(6)
def test_a_home_that_is_read_only(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    home = tmp_path / "read-only"
    home.mkdir()
    home.chmod(0o555)
    result = scene.run(call, env={"HOME": os.fspath(home), "XDG_CONFIG_HOME": os.fspath(home)})
    home.chmod(0o755)
    assert_clean_exit(result)
    same(call, result, scene.baseline(call))
    assert [*home.iterdir()] == []


@every_command(7)
def test_hardly_any_environment(scene: Sandbox, call: Call) -> None:
    from conftest import PROGRAM

    program = ("env", "-i", f"PATH={os.environ['PATH']}", "GIT_CONFIG_NOSYSTEM=1")
    result = scene.run(call, program=(*program, os.fspath(PROGRAM)))
    assert_clean_exit(result)
    assert result.code == scene.baseline(call).code
