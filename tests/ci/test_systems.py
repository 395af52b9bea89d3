"""Variables and event files are untrusted: what git gets is a commit id or the name of a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.ci_runs import ROWS, Row, fill
from helpers.git_version import needs_any_git
from pycache_guard.ci.systems import SYSTEMS, branch_value, commit_value, detect_system
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers.repo import Repo

IDS = {"base": "a" * 40, "head": "b" * 40, "merge": "c" * 40, "zeros": "0" * 40, "short": "a" * 12}

#: Values that git would take for options, for other names, or for commands of a terminal.
HOSTILE = [
    "--upload-pack=touch /tmp/x",
    "-",
    "--all",
    "HEAD",
    "main^{/x}",
    "a" * 40 + "..b",
    "@{upstream}",
    "a\nb",
    "\x1b[2J",
    "A" * 40,
    "g" * 40,
    "abc",
    "\u0661" * 40,
    ":(top)x",
]


@pytest.mark.parametrize("value", [*HOSTILE, 1, True, ["a" * 40], {"sha": "a" * 40}], ids=repr)
def test_what_is_not_a_commit_id_is_refused(value: object) -> None:
    with pytest.raises(Failure, match="NAME is not a commit id: "):
        commit_value(value, "NAME")


@pytest.mark.parametrize(
    "value",
    [
        *("--upload-pack=x", "-", "a..b", "a b", "a^b", "a~1", "a:b", "a?", "a*", "a[", "a\\b"),
        *(
            "/a",
            "a/",
            "a//b",
            "a/.b",
            ".a",
            "a.",
            "a.lock",
            "a.lock/b",
            "@",
            "a@{1}",
            "a\x00",
            "\x7f",
        ),
        *(1, ["main"]),
    ],
    ids=repr,
)
def test_what_is_not_a_branch_is_refused(value: object) -> None:
    with pytest.raises(Failure, match="NAME is not the name of a branch: "):
        branch_value(value, "NAME")


@pytest.mark.parametrize("value", [None, ""])
def test_unset_variables_are_none(value: object) -> None:
    assert commit_value(value, "NAME") is branch_value(value, "NAME") is None
    assert commit_value("0" * 64, "NAME") is None


@given(st.text(alphabet="abé-./@{}~^:?*[\\ \x01_#'\"", min_size=1, max_size=8))
@needs_any_git
def test_branch_names_are_those_of_git(name: str) -> None:
    """`git check-ref-format` accepts every name that is accepted here."""
    import subprocess

    try:
        branch_value(name, "NAME")
    except Failure:
        return
    done = subprocess.run(
        ["git", "check-ref-format", f"refs/remotes/origin/{name}"], check=False, capture_output=True
    )
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["main", "feature/x-1", "a{b}", "release@2", "ünïcode", "a.b_c#d"])
def test_usual_branch_names_are_accepted(name: str) -> None:
    assert branch_value(name, "NAME") == name


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to each text of an event."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path


def replaced(value: object, path: tuple[str, ...], new: object) -> object:
    """Return an event with another value in one place."""
    if not path:
        return new
    assert isinstance(value, dict)
    return {**value, path[0]: replaced(value[path[0]], path[1:], new)}


CASES = [
    pytest.param(row, name, None, id=f"{row.name}: {name}")
    for row in ROWS
    for name, value in row.env.items()
    if "{" in value or "BRANCH" in name or "TARGET" in name
] + [
    pytest.param(row, None, path, id=f"{row.name}: {'.'.join(path)}")
    for row in ROWS
    for path in leaves(row.event)
    if row.event is not None and path not in (("schedule",), ("pull_request", "base", "ref"))
]


@pytest.mark.parametrize(("row", "variable", "path"), CASES)
def test_hostile_value_reaches_git_nowhere(
    row: Row, variable: str | None, path: tuple[str, ...] | None
) -> None:
    """Each variable and each value of an event, replaced by options of git and the like."""
    for hostile in HOSTILE:
        env = row.variables(IDS)
        event = fill(row.event or {}, IDS)
        if variable:
            env[variable] = hostile
        else:
            assert path is not None
            event = replaced(event, path, hostile)
        assert isinstance(event, dict)
        system = detect_system(env)
        assert system is not None
        try:
            found = system.read(env, event)
        except Failure:
            continue
        assert hostile not in (found.base, found.head)
        for branch in (found.target, found.branch, found.default_branch):
            assert branch is None or branch_value(branch, "") == branch


#: Events in which something else is in the place of an object, or nothing.
BROKEN = [
    ("pull_request", {}, "pull_request.base.sha"),
    ("pull_request", {"pull_request": None}, "pull_request.base.sha"),
    ("pull_request", {"pull_request": []}, "pull_request.base.sha"),
    ("pull_request", {"pull_request": {"base": "x"}}, "pull_request.base.sha"),
    ("pull_request", {"pull_request": {"base": {"sha": "a" * 40}}}, "pull_request.head.sha"),
    ("pull_request", {"pull_request": {"base": {"sha": "0" * 40}}}, "pull_request.base.sha"),
    ("merge_group", {}, "merge_group.base_sha"),
    ("merge_group", {"merge_group": {"base_sha": "a" * 40}}, "merge_group.head_sha"),
    ("push", {}, "before"),
    ("push", {"before": None}, "before"),
]


@pytest.mark.parametrize(("name", "event", "missing"), BROKEN, ids=range(len(BROKEN)))
def test_event_without_a_commit_is_refused(
    name: str, event: dict[str, object], missing: str
) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name, "GITHUB_SHA": "b" * 40}
    system = detect_system(env)
    assert system is not None
    with pytest.raises(Failure, match=f"the event file has no {missing}; pass --range BASE..HEAD"):
        system.read(env, event)


@pytest.mark.parametrize("value", ["", "false", "False", "0"])
def test_variable_that_says_no_shows_no_system(value: str) -> None:
    assert detect_system({system.variable: value for system in SYSTEMS}) is None


def test_systems_inside_others_are_recognized() -> None:
    """Gitea sets the variables of GitHub; an agent of Jenkins and hooks run everywhere."""
    env = {"GITHUB_ACTIONS": "true", "PRE_COMMIT": "1"}
    assert getattr(detect_system(env), "name", "") == "GitHub Actions"
    env["GITEA_ACTIONS"] = "true"
    assert getattr(detect_system(env), "name", "") == "Gitea Actions"
    env = {"JENKINS_URL": "x", "GITLAB_CI": "true"}
    assert getattr(detect_system(env), "name", "") == "GitLab CI/CD"


def test_push_without_refs_is_read(repo: Repo) -> None:
    """An event needs `before` only; the variables say the rest."""
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "b" * 40}
    env["GITHUB_REF"] = "refs/heads/topic"
    system = detect_system(env)
    assert system is not None
    run = system.read(env, {"before": "a" * 40})
    assert (run.base, run.head, run.branch) == ("a" * 40, "b" * 40, "topic")
