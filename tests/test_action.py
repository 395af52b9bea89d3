"""The action for GitHub and the component for GitLab, run as these systems run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers import composite_action
from helpers.ci_runs import ROWS, make_clones
from helpers.composite_action import ACTION, STEPS, run_check, run_install
from helpers.gitlab_component import interpolate_component
from helpers.runners import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.ci_runs import Clones

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts need bash")
REQUEST = next(row for row in ROWS if row.name == "github pull_request")
MERGE_REQUEST = next(row for row in ROWS if row.name == "gitlab merge request")


@pytest.fixture(params=[False, True], ids=["good", "bad"], scope="module")
def change(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clones:
    """Return a server with a clean change, or with one that adds bytecode and deletes it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{name}_NAME", "A. Author")
            patch.setenv(f"GIT_{name}_EMAIL", "author@example.com")
        clones = make_clones(tmp_path_factory.mktemp("action") / "clones", is_bad=request.param)
        clones.ids["bad"] = str(request.param)
        return clones


def environment(row_env: dict[str, str]) -> dict[str, str]:
    """Return the environment of a job."""
    return {**os.environ, **row_env}


def check(change: Clones, tmp_path: Path, **given: str) -> composite_action.ActionRun:
    """Run the check of the action on a pull request."""
    repo = change.clone("request")
    env = environment(REQUEST.variables(change.ids, tmp_path / "event.json"))
    named = {name.replace("_", "-"): value for name, value in given.items()}
    return run_check(PROGRAM, named, place=repo.path, files=tmp_path / "files", env=env)


def test_action_judges_a_pull_request(change: Clones, tmp_path: Path) -> None:
    is_bad = change.ids["bad"] == "True"
    done = check(change, tmp_path)
    assert (done.result.code, done.result.err) == (is_bad, "")
    if is_bad:
        assert done.result.out.startswith("::error file=c.pyc,title=PYC001 bytecode-path::")
        assert "| <code>c&#46;pyc</code> | bytecode comes in with commit" in done.summary
    else:
        assert done.result.out.startswith("OK: 3 tracked files checked, ")
        assert done.summary.startswith("### pycache-guard: no problems found\n")


def test_action_writes_sarif_and_annotations(change: Clones, tmp_path: Path) -> None:
    is_bad = change.ids["bad"] == "True"
    file = tmp_path / "a b.sarif"
    done = check(change, tmp_path, sarif_file=os.fspath(file))
    assert done.result.code == is_bad
    results = json.loads(file.read_text("utf-8"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["PYC001"] * is_bad
    assert done.result.out.startswith("::error" if is_bad else "OK: ")


def test_action_passes_inputs_on(change: Clones, tmp_path: Path) -> None:
    done = check(change, tmp_path, format="json", range="HEAD", args="--config-from\nHEAD --quiet")
    report = json.loads(done.result.out)
    assert (report["range"], report["config_from"]) == ("HEAD", "HEAD")


def test_action_works_in_a_directory(change: Clones, tmp_path: Path) -> None:
    (change.clone("request").path / "deep").mkdir(exist_ok=True)
    done = check(change, tmp_path, working_directory="deep")
    assert done.result.code == (change.ids["bad"] == "True")


def test_formats_that_exclude_each_other_are_refused(change: Clones, tmp_path: Path) -> None:
    done = check(change, tmp_path, sarif_file="x.sarif", format="text")
    assert done.result.code == 2
    assert done.result.out == "::error::sarif-file goes with the format github only\n"


HOSTILE = ["$(touch planted)`touch planted`", "; touch planted", '" && touch planted #']


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", [name for name in ACTION["inputs"] if name != "working-directory"])
def test_inputs_are_never_run(change: Clones, tmp_path: Path, name: str, text: str) -> None:
    if change.ids["bad"] == "True":
        return
    repo = change.clone("request")
    env = environment(REQUEST.variables(change.ids, tmp_path / "event.json"))
    if name == "version":
        done = run_install({name: text}, files=tmp_path / "files", env=env)
        assert "version is not a version" in done.result.out
    else:
        done = run_check(PROGRAM, {name: text}, place=repo.path, files=tmp_path / "f", env=env)
    assert done.result.code == (0 if name == "sarif-file" else 2)
    for place in (repo.path, tmp_path, tmp_path / "files"):
        assert not (place / "planted").exists()
    for made in (text, "planted"):
        (repo.path / made).unlink(missing_ok=True)


def test_scripts_have_no_expressions() -> None:
    """An expression in a script is text that is run; the environment is not."""
    runs = [step for step in STEPS if "run" in step]
    assert len(runs) == 2
    assert all("${{" not in step["run"] for step in runs)
    used = [step["uses"] for step in STEPS if "uses" in step]
    text = (ROOT / "action.yml").read_text("utf-8")
    assert all(re.search(rf"uses: {re.escape(each)} # v\d+\.\d+\.\d+\n", text) for each in used)
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each) for each in used)


def test_every_input_is_documented() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    for name, spec in ACTION["inputs"].items():
        assert spec["description"]
        assert f"\n| `{name}` | " in page


def test_action_installs_its_own_version(
    tmp_path: Path, inherited: dict[str, str], change: Clones
) -> None:
    """Into a directory of its own, with a Python that the job does not see."""
    if change.ids["bad"] == "True":
        return
    done = run_install({}, files=tmp_path / "files", env=inherited)
    assert (done.result.code, done.result.out) == (0, ""), done.result.err
    (program,) = done.outputs.values()
    repo = change.clone("request")
    env = {**inherited, **REQUEST.variables(change.ids, tmp_path / "event.json")}
    checked = run_check(program, {}, place=repo.path, files=tmp_path / "files", env=env)
    assert checked.result.code == 0, checked.result.err


def test_component_judges_a_merge_request(change: Clones, tmp_path: Path) -> None:
    is_bad = change.ids["bad"] == "True"
    ((name, job),) = interpolate_component(**{"job-name": "guard", "args": "--quiet"}).items()
    assert (name, job["stage"], job["variables"]["GIT_DEPTH"]) == ("guard", "test", "0")
    _, install, command = job["script"]
    assert "git+https://github.com/pycache-guard/pycache-guard@$PYCACHE_GUARD_VERSION" in install
    repo = change.clone("branch")
    env = environment(MERGE_REQUEST.variables(change.ids) | job["variables"])
    script = command.replace("/tmp/pycache-guard/bin/pycache-guard", os.fspath(PROGRAM))
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=repo.path,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (is_bad, b"")
    (artifact,) = job["artifacts"]["reports"].values()
    rows = json.loads((repo.path / artifact).read_text("utf-8"))
    (repo.path / artifact).unlink()
    assert [row["check_name"] for row in rows] == ["PYC001"] * is_bad
    assert (b"c.pyc: PYC001 bytecode comes in with commit" in done.stdout) == is_bad
