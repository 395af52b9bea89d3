"""Runs of CI systems: variables and event files as each system writes them, and real clones."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from helpers.repo import BYTECODE, Repo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What systems write for a commit that does not exist.
ZEROS = "0" * 40


class Row(NamedTuple):
    """One kind of run. Values may contain `{base}`, `{head}`, `{merge}` and `{zeros}`."""

    #: System and event.
    name: str
    #: What is checked out and built: a `request`, a new or updated `branch`, `main`, a `tag`.
    kind: str
    env: Mapping[str, str]
    event: object = None
    #: The commits that are checked: `change` (base..head), `merge` (base..merge), `all` or `none`.
    commits: str = "change"

    def variables(self, ids: Mapping[str, str], event_path: Path | None = None) -> dict[str, str]:
        """Return the environment; write the event file, if there is an event."""
        env = {name: value.format(**ids) for name, value in self.env.items()}
        if self.event is not None and event_path is not None:
            event_path.write_text(json.dumps(fill(self.event, ids)), "utf-8")
            env["GITHUB_EVENT_PATH"] = os.fspath(event_path)
        return env


def fill(value: object, ids: Mapping[str, str]) -> object:
    """Return an event with the ids in place."""
    if isinstance(value, dict):
        return {key: fill(item, ids) for key, item in value.items()}
    return value.format(**ids) if isinstance(value, str) else value


REPOSITORY = {"default_branch": "main"}
REQUEST = {
    "repository": REPOSITORY,
    "pull_request": {"base": {"sha": "{base}", "ref": "main"}, "head": {"sha": "{head}"}},
}
GITHUB = {"GITHUB_ACTIONS": "true", "CI": "true"}


def github(event: str, sha: str = "{head}", ref: str = "refs/heads/topic") -> dict[str, str]:
    """Return the variables of GitHub Actions."""
    return {**GITHUB, "GITHUB_EVENT_NAME": event, "GITHUB_SHA": sha, "GITHUB_REF": ref}


def push(before: str, ref: str = "refs/heads/topic") -> dict[str, object]:
    """Return the event of a push."""
    return {"before": before, "after": "{head}", "ref": ref, "repository": REPOSITORY}


MAIN = "refs/heads/main"
TAG = "refs/tags/v1"
GITLAB = {"GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": "{head}"}
GITLAB_REQUEST = {
    **GITLAB,
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_BEFORE_SHA": "{zeros}",
    "CI_MERGE_REQUEST_IID": "3",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "{base}",
}
BITBUCKET = {"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_COMMIT": "{head}"}
AZURE = {"TF_BUILD": "True", "BUILD_SOURCEVERSION": "{head}"}
CIRCLE = {"CIRCLECI": "true", "CIRCLE_SHA1": "{head}"}
JENKINS = {"JENKINS_URL": "https://ci.example.com/", "GIT_COMMIT": "{head}"}
BUILDKITE = {
    "BUILDKITE": "true",
    "BUILDKITE_COMMIT": "{head}",
    "BUILDKITE_PULL_REQUEST": "false",
    "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
    "BUILDKITE_SOURCE": "webhook",
}

ROWS = [
    # https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    Row("github pull_request", "request", github("pull_request", "{merge}"), REQUEST),
    Row("github pull_request_target", "base", github("pull_request_target", "{base}"), REQUEST),
    Row("github pull_request_review", "request", github("pull_request_review"), REQUEST),
    Row(
        "github merge_group",
        "branch",
        github("merge_group"),
        {"merge_group": {"base_sha": "{base}", "head_sha": "{head}"}, "repository": REPOSITORY},
    ),
    # https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
    Row("github push", "branch", github("push"), push("{base}")),
    Row("github push to main", "main", github("push", ref=MAIN), push("{base}", MAIN)),
    Row("github new branch", "branch", github("push"), push("{zeros}")),
    Row("github first push", "main", github("push", ref=MAIN), push("{zeros}", MAIN), "all"),
    Row("github force push", "branch", github("push"), push("f" * 40)),
    Row("github force push to main", "main", github("push"), push("f" * 40, MAIN), "all"),
    Row("github tag", "tag", github("push", ref=TAG), push("{zeros}", TAG)),
    Row("github moved tag", "tag", github("push", ref=TAG), push("{base}", TAG)),
    Row("github schedule", "main", github("schedule", ref=MAIN), {"schedule": "0 0 * * *"}, "none"),
    Row(
        "github workflow_dispatch",
        "branch",
        github("workflow_dispatch"),
        {"repository": REPOSITORY},
    ),
    Row(
        "github workflow_dispatch of main",
        "main",
        github("workflow_dispatch", ref=MAIN),
        {"repository": REPOSITORY},
        "none",
    ),
    Row("github release", "tag", github("release", ref=TAG), {"repository": REPOSITORY}),
    # https://docs.gitea.com/usage/actions/comparison
    Row(
        "gitea pull_request",
        "request",
        {**github("pull_request", "{merge}"), "GITEA_ACTIONS": "true"},
        REQUEST,
    ),
    Row("gitea push", "main", {**github("push"), "GITEA_ACTIONS": "true"}, push("{base}", MAIN)),
    # https://forgejo.org/docs/latest/user/actions/reference/
    Row("forgejo push", "branch", {**github("push"), "FORGEJO_ACTIONS": "true"}, push("{base}")),
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    Row("gitlab merge request", "branch", GITLAB_REQUEST),
    Row(
        "gitlab merged results",
        "request",
        {
            **GITLAB_REQUEST,
            "CI_COMMIT_SHA": "{merge}",
            "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "{base}",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "{head}",
        },
    ),
    Row(
        "gitlab external pull request",
        "branch",
        {
            **GITLAB,
            "CI_PIPELINE_SOURCE": "external_pull_request_event",
            "CI_EXTERNAL_PULL_REQUEST_IID": "3",
            "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA": "{base}",
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA": "{head}",
        },
    ),
    Row(
        "gitlab branch",
        "branch",
        {**GITLAB, "CI_COMMIT_BEFORE_SHA": "{base}", "CI_COMMIT_BRANCH": "topic"},
    ),
    Row(
        "gitlab new branch",
        "branch",
        {
            **GITLAB,
            "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_BEFORE_SHA": "{zeros}",
            "CI_COMMIT_BRANCH": "topic",
        },
    ),
    Row(
        "gitlab main",
        "main",
        {**GITLAB, "CI_COMMIT_BEFORE_SHA": "{base}", "CI_COMMIT_BRANCH": "main"},
    ),
    Row("gitlab tag", "tag", {**GITLAB, "CI_COMMIT_TAG": "v1", "CI_COMMIT_BEFORE_SHA": "{zeros}"}),
    Row(
        "gitlab schedule",
        "main",
        {
            **GITLAB,
            "CI_PIPELINE_SOURCE": "schedule",
            "CI_COMMIT_BEFORE_SHA": "{zeros}",
            "CI_COMMIT_BRANCH": "main",
        },
        commits="none",
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    Row(
        "bitbucket pull request",
        "request",
        {
            **BITBUCKET,
            "BITBUCKET_BRANCH": "topic",
            "BITBUCKET_PR_ID": "4",
            "BITBUCKET_PR_DESTINATION_BRANCH": "main",
            "BITBUCKET_PR_DESTINATION_COMMIT": "{short}",
        },
    ),
    Row("bitbucket branch", "branch", {**BITBUCKET, "BITBUCKET_BRANCH": "topic"}),
    Row("bitbucket main", "main", {**BITBUCKET, "BITBUCKET_BRANCH": "main"}, commits="all"),
    Row("bitbucket without a branch", "main", BITBUCKET, commits="all"),
    Row("bitbucket tag", "tag", {**BITBUCKET, "BITBUCKET_TAG": "v1"}),
    # https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    Row(
        "azure pull request",
        "request",
        {
            **AZURE,
            "BUILD_REASON": "PullRequest",
            "SYSTEM_PULLREQUEST_TARGETBRANCH": MAIN,
            "SYSTEM_PULLREQUEST_SOURCECOMMITID": "{head}",
        },
    ),
    Row(
        "azure pull request of GitHub",
        "request",
        {**AZURE, "BUILD_REASON": "PullRequest", "SYSTEM_PULLREQUEST_TARGETBRANCH": "main"},
        commits="merge",
    ),
    Row(
        "azure branch",
        "branch",
        {**AZURE, "BUILD_REASON": "IndividualCI", "BUILD_SOURCEBRANCH": "refs/heads/topic"},
    ),
    Row(
        "azure main",
        "main",
        {**AZURE, "BUILD_REASON": "BatchedCI", "BUILD_SOURCEBRANCH": MAIN},
        commits="all",
    ),
    Row("azure tag", "tag", {**AZURE, "BUILD_SOURCEBRANCH": TAG}),
    Row(
        "azure schedule",
        "main",
        {**AZURE, "BUILD_REASON": "Schedule", "BUILD_SOURCEBRANCH": MAIN},
        commits="none",
    ),
    # https://circleci.com/docs/reference/variables/
    Row("circleci branch", "branch", {**CIRCLE, "CIRCLE_BRANCH": "topic"}),
    Row("circleci fork", "branch", {**CIRCLE, "CIRCLE_BRANCH": "pull/3"}),
    Row("circleci main", "main", {**CIRCLE, "CIRCLE_BRANCH": "main"}, commits="all"),
    Row(
        "circleci main with a pipeline value",
        "main",
        {**CIRCLE, "CIRCLE_BRANCH": "main", "CIRCLE_BASE_REVISION": "{base}"},
    ),
    Row("circleci tag", "tag", {**CIRCLE, "CIRCLE_TAG": "v1"}),
    # https://plugins.jenkins.io/git/#plugin-content-environment-variables
    Row(
        "jenkins change request",
        "request",
        {**JENKINS, "GIT_COMMIT": "{merge}", "CHANGE_ID": "5", "CHANGE_TARGET": "main"},
        commits="merge",
    ),
    Row(
        "jenkins branch",
        "main",
        {**JENKINS, "GIT_BRANCH": "origin/main", "GIT_PREVIOUS_SUCCESSFUL_COMMIT": "{base}"},
    ),
    Row(
        "jenkins branch without a success",
        "main",
        {**JENKINS, "BRANCH_NAME": "main", "GIT_PREVIOUS_COMMIT": "{base}"},
    ),
    Row("jenkins first build", "branch", {**JENKINS, "BRANCH_NAME": "topic"}),
    Row("jenkins tag", "tag", {**JENKINS, "BRANCH_NAME": "v1", "TAG_NAME": "v1"}),
    # https://buildkite.com/docs/pipelines/configure/environment-variables
    Row(
        "buildkite pull request",
        "branch",
        {
            **BUILDKITE,
            "BUILDKITE_PULL_REQUEST": "6",
            "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
        },
    ),
    Row(
        "buildkite merge queue",
        "branch",
        {**BUILDKITE, "BUILDKITE_MERGE_QUEUE_BASE_COMMIT": "{base}"},
    ),
    Row("buildkite branch", "branch", {**BUILDKITE, "BUILDKITE_BRANCH": "topic"}),
    Row(
        "buildkite by hand",
        "branch",
        {**BUILDKITE, "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_BRANCH": "topic"},
    ),
    Row("buildkite main", "main", {**BUILDKITE, "BUILDKITE_BRANCH": "main"}, commits="all"),
    Row("buildkite tag", "tag", {**BUILDKITE, "BUILDKITE_TAG": "v1", "BUILDKITE_BRANCH": "v1"}),
    # https://github.com/pre-commit-ci/issues/issues/109
    Row("pre-commit.ci", "branch", {"PRE_COMMIT": "1"}),
    Row("pre-commit.ci of main", "main", {"PRE_COMMIT": "1"}, commits="all"),
    Row(
        "pre-commit with a push",
        "branch",
        {"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "{base}", "PRE_COMMIT_TO_REF": "{head}"},
    ),
]


def formats_of(row: Row) -> tuple[str, str]:
    """Return the formats of the log and of a report file."""
    return {"github": ("github", "sarif"), "gitlab": ("gitlab", "gitlab")}.get(
        row.name.split(" ")[0], ("text", "junit")
    )


class Clones(NamedTuple):
    """A server with a change, and clones of it as systems make them."""

    path: Path
    #: `base`, `head`, `merge`, `zeros` and `short` (the base in twelve digits).
    ids: dict[str, str]

    def clone(self, kind: str, *, depth: int = 0) -> Repo:
        """Return a clone with the run of this kind checked out; made once."""
        place = self.path / f"{kind}-{depth}"
        repo = Repo(place)
        if place.exists():
            return repo
        Repo.init(place)
        server = (self.path / ("main.git" if kind == "main" else "server.git")).as_uri()
        repo.git("remote", "add", "origin", server)
        checked_out = self.ids[{"request": "merge", "base": "base"}.get(kind, "head")]
        specs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/pull/*:refs/pull/*"]
        if depth:
            specs = [f"+{checked_out}:refs/remotes/pull/1"]
        repo.git("fetch", "-q", *([f"--depth={depth}"] if depth else []), "origin", *specs)
        repo.git("checkout", "-q", "--detach", checked_out)
        return repo


def make_clones(path: Path, *, is_bad: bool) -> Clones:
    """Make a server whose branch `topic` adds a file and deletes it again; bytecode if `is_bad`."""
    path.mkdir()
    work = Repo.init(path / "work")
    work.add(".gitignore", "__pycache__/\n*.py[co]\n")
    work.add("a.py", "x = 1\n")
    work.commit("start")
    work.add("b.py", "x = 2\n")
    base = work.commit("more")
    work.git("checkout", "-q", "-b", "topic")
    name = "c.pyc" if is_bad else "c.txt"
    work.add(name, BYTECODE if is_bad else "text")
    work.commit("add")
    work.git("rm", "-q", name)
    head = work.commit("delete")
    tree = work.git("rev-parse", f"{head}^{{tree}}")
    merge = work.git("commit-tree", "-p", base, "-p", head, "-m", "merge", tree)
    work.git("update-ref", "refs/pull/1/merge", merge)
    work.git("tag", "v1", head)
    work.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for server, main in (("server.git", base), ("main.git", head)):
        subprocess.run(
            ["git", "clone", "-q", "--mirror", os.fspath(work.path), os.fspath(path / server)],
            check=True,
        )
        bare = Repo(path / server)
        bare.git("config", "uploadpack.allowAnySHA1InWant", "true")
        bare.git("update-ref", "refs/heads/main", main)
        if server == "main.git":
            bare.git("update-ref", "-d", "refs/heads/topic")
    ids = {"base": base, "head": head, "merge": merge, "zeros": ZEROS, "short": base[:12]}
    return Clones(path, ids)
