"""A release: what a tag must agree with, and what the workflows do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts import release

from helpers.git_version import needs_any_git
from helpers.runners import ROOT
from pycache_guard import __version__

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout of version 1.2.3."""
    package = tmp_path / "hooks" / "pycache_guard"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""It."""\n\n__version__ = "1.2.3"\n', encoding="utf-8")
    return tmp_path


TAGS = [
    ("v1.2.3", "# Changelog\n\n## 1.2.3 (2026-11-22)\n\n## 1.2.2 (2026-01-01)\n", ""),
    ("1.2.3", "## 1.2.3 (2026-11-22)\n", "the tag is 1.2.3, the version 1.2.3"),
    ("v1.2.4", "## 1.2.4 (2026-11-22)\n", "the tag is v1.2.4, the version 1.2.3"),
    ("v1.2.3", "## Unreleased\n\n## 1.2.3 (2026-11-22)\n", "begins with `## Unreleased`, not"),
    ("v1.2.3", "## 1.2.3\n", "begins with `## 1.2.3`, not with `## 1.2.3 (2026-11-22)`"),
    ("v1.2.3", "## 1.2.3 (2026-11-21)\n", "begins with `## 1.2.3 (2026-11-21)`, not"),
    ("v1.2.3", "# Changelog\n", "begins with `## nothing`, not"),
]


@pytest.mark.parametrize(("tag", "changelog", "why"), TAGS)
def test_check_tag_compares_version_and_changelog(
    checkout: Path, tag: str, changelog: str, why: str
) -> None:
    (checkout / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    if not why:
        release.check_tag(tag, "2026-11-22", checkout)
        return
    with pytest.raises(release.Refused, match=re.escape(why)):
        release.check_tag(tag, "2026-11-22", checkout)


NOTES = """# Changelog

## 1.2.3 (2026-11-22)

### `fix`
- See [the page](docs/commands.md#fix) and [git](https://git-scm.com).

## 1.2.2 (2026-01-01)
Old.
"""


def test_notes_are_the_newest_section(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(NOTES, encoding="utf-8")
    address = "https://github.com/pycache-guard/pycache-guard/blob/v1.2.3/docs/commands.md#fix"
    expected = f"### `fix`\n- See [the page]({address}) and [git](https://git-scm.com).\n"
    assert release.notes(checkout) == expected


@pytest.mark.parametrize("text", ["# Changelog\n", "# Changelog\n\n## Unreleased\n\nx\n"])
def test_notes_of_another_version_are_refused(checkout: Path, text: str) -> None:
    (checkout / "CHANGELOG.md").write_text(text, encoding="utf-8")
    with pytest.raises(release.Refused, match=r"not with 1\.2\.3"):
        release.notes(checkout)


def test_notes_of_this_version_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["notes"]) == 0
    assert capsys.readouterr().out.strip()


def test_version_is_read_from_the_package() -> None:
    assert release.version() == __version__
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_missing_version_is_refused(checkout: Path) -> None:
    (checkout / "hooks" / "pycache_guard" / "__init__.py").write_text("", encoding="utf-8")
    with pytest.raises(release.Refused, match="there is no __version__"):
        release.version(checkout)


@needs_any_git
def test_wrong_tag_ends_with_1() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.release", "check-tag", "v0"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    expected = f"error: the tag is v0, the version {__version__}"
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines() == [expected]


def test_build_refuses_other_files_than_wheel_and_sdist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "environment", lambda *_: Path("python"))
    monkeypatch.setattr(release, "run", lambda *_, **__: None)
    (tmp_path / "odd").touch()
    with pytest.raises(release.Refused, match="built were odd"):
        release.build(tmp_path)


def test_environment_with_the_checkout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that finds the checkout's package is refused."""
    monkeypatch.setattr(release, "environment", lambda *_: Path(sys.executable))
    with pytest.raises(release.Refused, match="not the wheel"):
        release.test(Path("any.whl"), sys.executable, [])


def test_tested_versions_are_those_of_the_classifiers(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["pythons"]) == 0
    pythons = json.loads(capsys.readouterr().out)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    minors = [int(python.partition(".")[2]) for python in pythons]
    assert minors == [*range(minors[0], minors[-1] + 1)]
    assert f'requires-python = ">={pythons[0]}"' in text


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_matrix_comes_from_the_classifiers(path: Path) -> None:
    systems = set()
    for job in jobs(path).values():
        matrix = job.get("strategy", {}).get("matrix")
        if matrix:
            assert re.fullmatch(
                r"\$\{\{ fromJSON\(needs\.\w+\.outputs\.\w+\) \}\}", matrix["python"]
            )
            systems |= set(matrix.get("os", [job["runs-on"]]))
    assert systems == {"ubuntu-latest", "macos-latest", "windows-latest"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_actions_are_pinned_and_permissions_are_minimal(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    pinned = re.compile(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./( #.*)?")
    assert all(pinned.fullmatch(each) for each in used)
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_workflow_publishes_what_it_built_and_tested() -> None:
    found = jobs(ROOT / ".github" / "workflows" / "release.yml")
    assert (found["test"]["needs"], found["publish"]["needs"]) == ("build", "test")
    steps = {
        name: [step.get("run", step.get("uses")) for step in job["steps"]]
        for name, job in found.items()
    }
    assert sum("release build" in step for step in steps["build"]) == 1
    assert any("check-tag" in step for step in steps["build"])
    assert not any("release build" in step for step in [*steps["test"], *steps["publish"]])
    assert [step.partition("@")[0] for step in steps["publish"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert found["publish"]["permissions"] == {"id-token": "write"}
