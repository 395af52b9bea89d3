from __future__ import annotations

import argparse
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from pycache_guard.cli import COMMANDS
from pycache_guard.commands import check_gitignore, forbid_bytecode
from pycache_guard.commands._arguments import LazyFormatter, report_parser
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from conftest import Run
    from helpers.repo import Repo

SEE = " (see `pycache-guard forbid-bytecode --help`)\n"

USAGE = [
    (("--no-such",), "unrecognized arguments: --no-such"),
    (("a.pyc",), "unrecognized arguments: a.pyc"),
    (("--stage",), "unrecognized arguments: --stage: did you mean `--staged`?"),
    (("--formt", "json"), "unrecognized arguments: --formt: did you mean `--format`?"),
    (("--formt=json",), "unrecognized arguments: --formt=json: did you mean `--format`?"),
    (("-format", "json"), "unrecognized arguments: -format json: did you mean `--format`?"),
    (("--Quiet",), "unrecognized arguments: --Quiet: did you mean `--quiet`?"),
    (("--tree",), "argument --tree: expected one argument"),
    (("--tree", ""), "argument --tree: must not be empty"),
    (("--allow", ""), "argument --allow: must not be empty"),
    (("--allow", " "), "argument --allow: must not be empty"),
    (("--output", ""), "argument --output: must not be empty"),
    (("--staged", "--tree", "HEAD"), "argument --tree: not allowed with argument --staged"),
    (("--fix", "--tree", "HEAD"), "--fix changes the index: it does not go with --tree"),
]


@pytest.mark.parametrize(("argv", "message"), USAGE)
def test_wrong_usage_is_an_error_with_a_hint(
    repo: Repo, run: Run, argv: tuple[str, ...], message: str
) -> None:
    repo.add("a.pyc")
    assert run("forbid-bytecode", *argv) == (2, "", f"error: {message}{SEE}")


@pytest.mark.parametrize("option", ["--format", "--content"])
def test_invalid_choice_is_an_error_with_the_choices(repo: Repo, run: Run, option: str) -> None:
    code, out, err = run("forbid-bytecode", option, "xml")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: argument {option}: invalid choice: 'xml' (choose from ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "likely"),
    [
        (("forbid-bytecode", "--format", "jsn"), "json"),
        (("forbid-bytecode", "--format", "JSON"), "json"),
        (("forbid-bytecode", "--content", "al"), "all"),
        (("check-gitignore", "--probe", "cash"), "cache"),
        (("lint", "--color", "allways"), "always"),
        (("verify-bytecode", "--ignore", "pyc203"), "PYC203"),
        (("verify-bytecode", "--ignore", "PYC2003"), "PYC203"),
    ],
)
def test_mistyped_value_is_answered_with_the_likely_one(
    repo: Repo, run: Run, argv: tuple[str, ...], likely: str
) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert f": did you mean `{likely}`?" in err


def test_report_parser_defaults() -> None:
    options = report_parser("x", "y").parse([])
    assert vars(options) == {"format": "text", "output": None, "quiet": False, "color": "auto"}
    with pytest.raises(Failure, match="unrecognized arguments: --form"):
        report_parser("x", "y").parse(["--form", "json"])


#: A command, and the name of something that it has a finding on, less a dash in front.
TAKE_PATHS = {
    "check-dist": "a.zip",
    "check-bundle": "bundle",
    "check-dockerignore": "context",
    "inspect": "a.pyc",
    "lint": "a.py",
    "verify-bytecode": "a.pyc",
}


def give(repo: Repo, path: str) -> None:
    """Put something at `path` that its command has a finding on."""
    name = path[1:]
    if name == "a.zip":
        with zipfile.ZipFile(repo.path / path, "w") as archive:
            archive.writestr("a.pyc", b"")
    elif name == "bundle":
        repo.write(f"{path}/m.py")
        repo.write(f"{path}/__pycache__/m.cpython-313.pyc")
    elif name == "context":
        repo.add(f"{path}/Dockerfile")
        repo.add(f"{path}/m.py")
    else:
        repo.write(path, b"import marshal\nexec(marshal.loads(b''))\n" if name == "a.py" else b"")


@pytest.mark.parametrize("command", TAKE_PATHS)
def test_path_that_begins_with_a_dash_follows_two_dashes(
    repo: Repo, run: Run, command: str
) -> None:
    path = f"-{TAKE_PATHS[command]}"
    give(repo, path)
    code, out, err = run(command, "--format=json", "--", path)
    assert (code, err) == (1, "")
    assert {finding["path"].partition("/")[0] for finding in json.loads(out)["findings"]} == {path}
    code, out, err = run(command, path)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


@pytest.mark.parametrize("command", TAKE_PATHS)
def test_options_between_paths(repo: Repo, run: Run, command: str) -> None:
    first, second = f"1{TAKE_PATHS[command]}", f"2{TAKE_PATHS[command]}"
    give(repo, first)
    give(repo, second)
    orders = [
        ("--format=json", first, second),
        (first, "--format", "json", second),
        (first, second, "--format=json"),
        (first, "--format=json", "--", second),
        ("--format=json", "--", first, second),
    ]
    answers = {run(command, *order) for order in orders}
    assert len(answers) == 1
    code, out, err = answers.pop()
    assert (code, err) == (1, "")
    found = {finding["path"].partition("/")[0] for finding in json.loads(out)["findings"]}
    assert found == {first, second}


def test_options_between_directories_to_clean(repo: Repo, run: Run) -> None:
    for path in ("-d", "e"):
        repo.write(f"{path}/__pycache__/a.cpython-313.pyc")
    would = "".join(
        f"would remove {path}/__pycache__/{name}\n"
        for path in ("-d", "e")
        for name in ("", "a.cpython-313.pyc")
    )
    assert run("clean", "e", "--dry-run", "--", "-d") == (0, would, "")


def test_options_between_ranges(repo: Repo, run: Run) -> None:
    repo.add("a.pyc")
    commit = repo.commit()
    repo.git("rm", "-q", "a.pyc")
    repo.commit()
    assert run("check-history", "--quiet", "HEAD", "--content", "none", f"^{commit}") == (0, "", "")
    assert run("check-history", "--quiet", "--content", "none", "--", "HEAD").code == 1


@pytest.mark.parametrize("words", [("--", "x"), ("--", "-x"), ("--", "--fix")])
def test_arguments_of_a_command_without_arguments_are_an_error(
    run: Run, words: tuple[str, ...]
) -> None:
    """What follows `--` is no option."""
    assert run("forbid-bytecode", *words) == (
        2,
        "",
        f"error: unrecognized arguments: {words[1]}{SEE}",
    )


@pytest.mark.parametrize("command", [*TAKE_PATHS, "clean", "check-history"])
@pytest.mark.parametrize("words", [("",), ("--", " ")])
def test_empty_argument_is_an_error(
    repo: Repo, run: Run, command: str, words: tuple[str, ...]
) -> None:
    """An unset variable must not mean the current directory."""
    cache = repo.write("__pycache__/a.cpython-313.pyc")
    code, out, err = run(command, *words)
    assert (code, out) == (2, "")
    assert "must not be empty" in err
    assert cache.exists()


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("command", COMMANDS)
def test_empty_value_of_any_option_is_an_error(run: Run, command: str) -> None:
    """An unset variable must not mean the default."""
    options = re.findall(r"^  (--[\w-]+) [A-Z]+\b", run(command, "--help").out, re.MULTILINE)
    for option in options:
        code, out, err = run(command, option, " ")
        assert (code, out) == (2, ""), option
        words = "must not be empty", "invalid choice", f"{option}  : must be", "is not a number"
        assert any(each in err for each in words), err


def test_colors_are_imported_when_help_is_formatted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Python 3.14, which calls `_set_color` for every formatter."""
    imported = []

    def set_color(formatter: Any, color: bool) -> None:
        imported.append(color)
        formatter._theme = "theme"

    monkeypatch.setattr(argparse.HelpFormatter, "_set_color", set_color, raising=False)
    monkeypatch.delattr(argparse.HelpFormatter, "_theme", raising=False)  # A property of 3.15.
    formatter = LazyFormatter(prog="program")
    formatter._set_color(True)
    assert imported == []
    assert formatter._theme == "theme"
    assert imported == [True]
    with pytest.raises(AttributeError):
        formatter._no_such  # noqa: B018 - reading it is the test


@pytest.mark.parametrize(
    ("parsed", "defaults"),
    [
        (forbid_bytecode.parse([]), forbid_bytecode.ForbidOptions()),
        (check_gitignore.parse([]), check_gitignore.CheckOptions()),
        (check_gitignore.parse(["--fix"]), check_gitignore.CheckOptions(fix=True)),
    ],
    ids=["forbid-bytecode", "check-gitignore", "fix-gitignore"],
)
def test_run_without_a_parser_has_the_values_of_the_parser(
    parsed: argparse.Namespace, defaults: object
) -> None:
    values = {name: getattr(defaults, name) for name in vars(parsed)}
    assert {k: v or None for k, v in vars(parsed).items()} == {
        k: v or None for k, v in values.items()
    }
