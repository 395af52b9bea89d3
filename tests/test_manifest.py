"""The manifest against the program, its rules and its documentation."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pre_commit.constants import VERSION

from helpers.git_version import needs_any_git
from helpers.runners import HOOKS, MANIFEST, ROOT, SCRIPTS
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.cli import COMMANDS, main
from pycache_guard.findings import Rule

COMMIT = ["pre-commit", "pre-merge-commit", "pre-push", "manual"]
SLOW = ["pre-commit", "pre-push", "manual"]
AFTERWARDS = ["post-checkout", "post-merge", "post-rewrite"]

#: What the interface promises of each hook: the command it runs, and its stages.
PROMISED = {
    "forbid-bytecode": ("forbid-bytecode", COMMIT),
    "forbid-bytecode-paths": (None, COMMIT),
    "check-gitignore": ("check-gitignore", COMMIT),
    "fix-gitignore": ("check-gitignore --fix", COMMIT),
    "check-history": ("check-history", ["pre-push", "manual"]),
    "verify-bytecode": ("verify-bytecode --tracked", SLOW),
    "check-dockerignore": ("check-dockerignore", SLOW),
    "fix-dockerignore": ("check-dockerignore --fix", SLOW),
    "clean-orphans": ("clean --orphans", AFTERWARDS),
    "lint-bytecode-use": ("lint", SLOW),
    "check-dist": ("check-dist", ["manual"]),
}

#: The keys that both runners know; those that pre-commit gives a default are in every entry.
KEYS = {
    "id",
    "name",
    "description",
    "entry",
    "language",
    "files",
    "types",
    "always_run",
    "pass_filenames",
    "require_serial",
    "minimum_pre_commit_version",
    "stages",
}


def written(hook: str) -> dict[str, str]:
    """Return the keys of a hook as they stand in the file, with their unparsed values."""
    text = MANIFEST.read_text(encoding="utf-8")
    block = re.split(r"(?m)^- ", text)[1:]
    entries = [dict(re.findall(r"(?m)^(?:  )?(\w+): (.*)$", entry)) for entry in block]
    return next(entry for entry in entries if entry["id"] == hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_has_the_promised_command_and_stages(hook: str) -> None:
    command, stages = PROMISED[hook]
    entry = HOOKS[hook]
    assert entry["stages"] == stages
    assert entry["minimum_pre_commit_version"] == "3.2.0"
    if command is None:
        assert (entry["language"], entry["types"]) == ("fail", [])
        return
    assert entry["language"] == "python"
    assert entry["entry"].startswith(f"pycache-guard {command}")
    on_files = hook == "lint-bytecode-use"
    assert entry["always_run"] is not on_files
    assert entry["pass_filenames"] is on_files
    if not on_files:
        assert entry["require_serial"] is True


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_keys_are_known_to_both_runners(hook: str) -> None:
    keys = written(hook).keys()
    assert keys <= KEYS
    assert {"id", "name", "description", "entry", "language", "stages"} <= keys


@pytest.mark.parametrize("runner", ["pre-commit", "prek"])
@needs_any_git
def test_manifest_is_accepted_by_both_runners(runner: str) -> None:
    done = subprocess.run(
        [SCRIPTS / runner, "validate-manifest", os.fspath(MANIFEST)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"warning" not in (done.stdout + done.stderr).lower()


def test_installed_pre_commit_is_new_enough() -> None:
    assert tuple(map(int, VERSION.split("."))) >= (3, 2, 0)


@pytest.mark.parametrize("hook", [h for h, entry in HOOKS.items() if entry["language"] == "python"])
def test_hook_entry_is_a_command_that_parses(hook: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, command, *options = HOOKS[hook]["entry"].split()
    assert program == "pycache-guard"
    assert command in COMMANDS
    with pytest.raises(SystemExit) as end:
        main([command, *options, "--help"])
    assert end.value.code == 0
    out, err = capsys.readouterr()
    assert all(option in out for option in options)
    assert err == ""


FILES = re.compile(HOOKS["forbid-bytecode-paths"]["files"])

PATHS = [
    ("a.pyc", True),
    ("a.pyo", True),
    ("A.PyC", True),
    ("d/a.pyc", True),
    (".pyc", True),
    ("a$py.class", True),
    ("A$PY.CLASS", True),
    ("__pycache__", True),
    ("__PYCACHE__", True),
    ("d/__pycache__/e/f.txt", True),
    ("__pycache__/a", True),
    ("__pycache__/\n", True),
    ("a.pyc.1", True),
    ("a.cpython-313.pyc.140162621172480", True),
    ("d\n/a.pyc", True),
    ("a.pyc\n", False),
    ("a.pyc.1\n", False),
    ("__pycache__\n", False),
    ("a\n.pyc", True),
    ("a.pyo.1", False),
    ("a.pyc.", False),
    ("a.pyc.x", False),
    ("a.pyc.1x", False),
    ("a.pyd", False),
    ("a.so", False),
    ("a.pyz", False),
    ("a.py", False),
    ("apyc", False),
    ("x__pycache__/a", False),
    ("__pycache__x/a", False),
    ("a.pyc/b", False),
    ("a.pyc.²", False),
]


@pytest.mark.parametrize(("path", "refused"), PATHS, ids=[repr(p) for p, _ in PATHS])
def test_regex_and_program_agree(path: str, refused: bool) -> None:
    assert bool(FILES.search(path)) is refused
    assert is_bytecode_path(os.fsencode(path)) is refused


PIECES = ["__pycache__", ".pyc", ".PYO", "$py.class", ".", "/", "\n", "1", "²", "x", "ß", "\udcff"]


# To a regex in Unicode U+017F is another `s`; to the program, and to Python's import, it is not.
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=2).filter(lambda t: "\u017f" not in t)))
def test_regex_and_program_agree_on_anything(pieces: list[str]) -> None:
    path = "".join(pieces)
    assert bool(FILES.search(path)) is is_bytecode_path(path.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("rule", Rule)
def test_rules_are_documented(rule: Rule) -> None:
    page = ROOT / "docs" / "rules" / f"{rule.name}.md"
    assert page.is_file()
    assert f"\n## {rule.name[:4]}xx " in (page.parent / "README.md").read_text(encoding="utf-8")


def test_rule_pages_are_about_existing_rules() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "rules").glob("PYC*.md")}
    assert pages == {rule.name for rule in Rule}
