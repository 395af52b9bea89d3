"""What CI systems say about a run, in environment variables and, on GitHub, in an event file.

Each function reads one system and names the page that documents its variables. Nothing here touches
the repository: `ranges` looks up commits and branches. Values are untrusted: everything that reaches git
is checked to be a commit id or the name of a branch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: Variables of the environment.
    Variables = Mapping[str, str]
    #: The content of the event file of GitHub; empty for other systems.
    Event = Mapping[str, object]

#: Patterns, which are compiled only if a system is known. Commit ids: Bitbucket shortens one to 12 digits.
COMMIT_ID = r"[0-9a-f]{7,64}"
#: What a branch name cannot contain, or begin or end with (git-check-ref-format(1)).
BAD_BRANCH = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^[-./]|[./]$|\.lock(/|$)|^@$"


class System(NamedTuple):
    """A CI system."""

    #: The variable that shows that the program runs there.
    variable: str
    #: For people.
    name: str
    #: Returns the run; None in `NO_SYSTEM`.
    read: Callable[[Variables, Event], CiRun]
    #: The line of its configuration that makes a clone complete.
    full_clone: str
    #: The formats that its log and its report files show best.
    log_format: str = "text"
    file_format: str = "junit"
    #: Whether it says which commits of a push are new.
    names_commits: bool = False


class CiRun(NamedTuple):
    """One run, as the system describes it."""

    #: The reason for the run, in the words of the system.
    event: str = ""
    #: The newest commit of the run; None means HEAD of the clone.
    head: str | None = None
    #: The commit that the branch had before, or that a request is compared with.
    base: str | None = None
    #: The branch into which a request is to be merged, where the system names no commit.
    target: str | None = None
    #: The branch that is built; None for a tag or a request, or if the system names none.
    branch: str | None = None
    is_tag: bool = False
    default_branch: str | None = None
    #: Whether this is a request to merge: its base must be in the clone.
    is_request: bool = False
    #: Whether a push or a request started the run; a schedule or a person brings no commits.
    is_change: bool = True


def detect_system(env: Variables) -> System | None:
    """Return the system whose variable is set, or None for an unknown one."""
    for system in SYSTEMS:
        if env.get(system.variable, "").lower() not in ("", "false", "0"):
            return system
    return None


def read_github(env: Variables, event: Event) -> CiRun:
    """GitHub Actions.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
    """
    name = env.get("GITHUB_EVENT_NAME", "")
    run = CiRun(
        name,
        default_branch=branch_value(
            nested(event, "repository", "default_branch"), "default_branch"
        ),
    )
    if "pull_request" in event or name in ("pull_request", "pull_request_target"):
        return run._replace(
            is_request=True,
            base=required_id(nested(event, "pull_request", "base", "sha"), "pull_request.base.sha"),
            head=required_id(nested(event, "pull_request", "head", "sha"), "pull_request.head.sha"),
        )
    if "merge_group" in event or name == "merge_group":
        return run._replace(
            is_request=True,
            base=required_id(nested(event, "merge_group", "base_sha"), "merge_group.base_sha"),
            head=required_id(nested(event, "merge_group", "head_sha"), "merge_group.head_sha"),
        )
    run = run._replace(
        head=commit_value(env.get("GITHUB_SHA"), "GITHUB_SHA"),
        branch=branch_of_ref(env.get("GITHUB_REF", ""), "GITHUB_REF"),
        is_change=name == "push",
    )
    if name != "push":
        return run
    ref = nested(event, "ref")
    return run._replace(
        base=required_base(nested(event, "before"), "before"),
        head=commit_value(nested(event, "after"), "after") or run.head,
        branch=branch_of_ref(ref, "ref") if isinstance(ref, str) else run.branch,
    )


def read_gitlab(env: Variables, _: Event) -> CiRun:
    """GitLab CI/CD, merged results pipelines and merge trains included.

    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    source = env.get("CI_PIPELINE_SOURCE", "")
    head = commit_variable(env, "CI_COMMIT_SHA")
    run = CiRun(source, head, default_branch=branch_variable(env, "CI_DEFAULT_BRANCH"))
    for prefix in ("CI_MERGE_REQUEST", "CI_EXTERNAL_PULL_REQUEST"):
        if env.get(f"{prefix}_IID") or env.get(f"{prefix}_TARGET_BRANCH_NAME"):
            return run._replace(
                event=env.get(f"{prefix}_EVENT_TYPE") or source,
                is_request=True,
                base=commit_variable(env, f"{prefix}_TARGET_BRANCH_SHA")
                or commit_variable(env, f"{prefix}_DIFF_BASE_SHA"),
                head=commit_variable(env, f"{prefix}_SOURCE_BRANCH_SHA") or head,
                target=branch_variable(env, f"{prefix}_TARGET_BRANCH_NAME"),
            )
    # A pipeline that somebody or a schedule starts has zeros for the earlier commit.
    return run._replace(
        base=commit_variable(env, "CI_COMMIT_BEFORE_SHA"),
        branch=branch_variable(env, "CI_COMMIT_BRANCH"),
        is_change=source in ("", "push", "parent_pipeline"),
    )


def read_bitbucket(env: Variables, _: Event) -> CiRun:
    """Bitbucket Pipelines. They do not say which commits of a branch are new.

    https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    """
    is_request = bool(env.get("BITBUCKET_PR_ID"))
    return CiRun(
        "pull request" if is_request else "tag" if env.get("BITBUCKET_TAG") else "push",
        commit_variable(env, "BITBUCKET_COMMIT"),
        base=commit_variable(env, "BITBUCKET_PR_DESTINATION_COMMIT") if is_request else None,
        target=branch_variable(env, "BITBUCKET_PR_DESTINATION_BRANCH") if is_request else None,
        branch=None if is_request else branch_variable(env, "BITBUCKET_BRANCH"),
        is_tag=bool(env.get("BITBUCKET_TAG")),
        is_request=is_request,
    )


def read_azure(env: Variables, _: Event) -> CiRun:
    """Azure Pipelines. They do not say which commits of a branch are new.

    https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    """
    reason = env.get("BUILD_REASON", "")
    target = env.get("SYSTEM_PULLREQUEST_TARGETBRANCH", "")
    if target:
        # `refs/heads/main` in Azure Repos, `main` in GitHub.
        name = branch_value(target.removeprefix("refs/heads/"), "SYSTEM_PULLREQUEST_TARGETBRANCH")
        head = commit_variable(env, "SYSTEM_PULLREQUEST_SOURCECOMMITID")
        return CiRun(reason, head, target=name, is_request=True)
    return CiRun(
        reason,
        commit_variable(env, "BUILD_SOURCEVERSION"),
        branch=branch_of_ref(env.get("BUILD_SOURCEBRANCH", ""), "BUILD_SOURCEBRANCH"),
        is_tag=env.get("BUILD_SOURCEBRANCH", "").startswith("refs/tags/"),
        is_change=reason not in ("Manual", "Schedule"),
    )


def read_circleci(env: Variables, _: Event) -> CiRun:
    """CircleCI. It says which commits are new in a pipeline value only, which a job can pass on.

    https://circleci.com/docs/reference/variables/
    """
    is_tag = bool(env.get("CIRCLE_TAG"))
    return CiRun(
        "tag" if is_tag else "push",
        commit_variable(env, "CIRCLE_SHA1"),
        base=commit_variable(env, "CIRCLE_BASE_REVISION"),
        branch=None if is_tag else branch_variable(env, "CIRCLE_BRANCH"),
        is_tag=is_tag,
    )


def read_jenkins(env: Variables, _: Event) -> CiRun:
    """Jenkins, with the Git plugin; multibranch projects build requests too.

    https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
    https://plugins.jenkins.io/git/#plugin-content-environment-variables
    """
    target = branch_variable(env, "CHANGE_TARGET")
    named = env.get("BRANCH_NAME") or env.get("GIT_BRANCH", "").removeprefix("origin/")
    is_tag = bool(env.get("TAG_NAME"))
    return CiRun(
        "change request" if target else "tag" if is_tag else "push",
        None if target else commit_variable(env, "GIT_COMMIT"),
        base=None
        if target
        else commit_variable(env, "GIT_PREVIOUS_SUCCESSFUL_COMMIT")
        or commit_variable(env, "GIT_PREVIOUS_COMMIT"),
        target=target,
        branch=None if target or is_tag else branch_value(named, "BRANCH_NAME"),
        is_tag=is_tag,
        is_request=target is not None,
    )


def read_buildkite(env: Variables, _: Event) -> CiRun:
    """Buildkite. It does not say which commits of a branch are new.

    https://buildkite.com/docs/pipelines/configure/environment-variables
    """
    request = env.get("BUILDKITE_PULL_REQUEST", "false")
    queued = commit_variable(env, "BUILDKITE_MERGE_QUEUE_BASE_COMMIT")
    is_request = queued is not None or request not in ("", "false")
    # A build that somebody starts can have the word HEAD for the commit.
    named = env.get("BUILDKITE_COMMIT", "")
    return CiRun(
        "pull request" if is_request else env.get("BUILDKITE_SOURCE", ""),
        None if named == "HEAD" else commit_value(named, "BUILDKITE_COMMIT"),
        base=queued,
        target=branch_variable(env, "BUILDKITE_PULL_REQUEST_BASE_BRANCH") if is_request else None,
        branch=None
        if is_request or env.get("BUILDKITE_TAG")
        else branch_variable(env, "BUILDKITE_BRANCH"),
        is_tag=bool(env.get("BUILDKITE_TAG")),
        default_branch=branch_variable(env, "BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        is_request=is_request,
        is_change=env.get("BUILDKITE_SOURCE") != "schedule",
    )


def read_hook_runner(env: Variables, _: Event) -> CiRun:
    """pre-commit.ci, which cannot be distinguished from a hook on a person's machine, on purpose.

    https://github.com/pre-commit-ci/issues/issues/109
    """
    last = env.get("PRE_COMMIT_TO_REF", "")
    return CiRun(
        "hook",
        commit_value(last, "PRE_COMMIT_TO_REF"),
        base=commit_variable(env, "PRE_COMMIT_FROM_REF"),
    )


ACTIONS_CLONE = "`fetch-depth: 0` below `with:` of actions/checkout"
#: Gitea and Forgejo set `GITHUB_ACTIONS` too, and show no annotations
#: (https://docs.gitea.com/usage/actions/comparison,
#: https://forgejo.org/docs/latest/user/actions/reference/). An agent of Jenkins can run in another
#: system, and a hook runner in all of them.
SYSTEMS = (
    System("GITEA_ACTIONS", "Gitea Actions", read_github, ACTIONS_CLONE, names_commits=True),
    System("FORGEJO_ACTIONS", "Forgejo Actions", read_github, ACTIONS_CLONE, names_commits=True),
    System(
        "GITHUB_ACTIONS",
        "GitHub Actions",
        read_github,
        ACTIONS_CLONE,
        "github",
        "sarif",
        names_commits=True,
    ),
    System(
        "GITLAB_CI",
        "GitLab CI/CD",
        read_gitlab,
        '`GIT_DEPTH: "0"` below `variables:` of the job',
        "gitlab",
        "gitlab",
        names_commits=True,
    ),
    System(
        "BITBUCKET_BUILD_NUMBER",
        "Bitbucket Pipelines",
        read_bitbucket,
        "`clone: { depth: full }`",
    ),
    System("TF_BUILD", "Azure Pipelines", read_azure, "`fetchDepth: 0` below `- checkout: self`"),
    System("CIRCLECI", "CircleCI", read_circleci, "`- checkout: { method: full }`"),
    System(
        "BUILDKITE",
        "Buildkite",
        read_buildkite,
        "`BUILDKITE_GIT_CLONE_FLAGS` without `--depth`",
    ),
    System(
        "JENKINS_URL",
        "Jenkins",
        read_jenkins,
        "`cloneOption(shallow: false)` in the `extensions` of the checkout",
    ),
    System("PRE_COMMIT", "pre-commit", read_hook_runner, "`git fetch --unshallow`"),
)


def nested(event: Event, *keys: str) -> object:
    """Return the value below several keys of the event, or None where something else is."""
    value: object = event
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def commit_variable(env: Variables, name: str) -> str | None:
    """Return a variable that is a commit id; None if it is not set or only zeros."""
    return commit_value(env.get(name), name)


def branch_variable(env: Variables, name: str) -> str | None:
    """Return a variable that is the name of a branch; None if it is not set."""
    return branch_value(env.get(name), name)


def commit_value(value: object, name: str) -> str | None:
    """Return a commit id; None for nothing and for zeros, which mean that there is no commit.

    Raises `Failure` for anything else: git must not take it for an option or for another name.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not re.fullmatch(COMMIT_ID, value):
        raise Failure(f"{name} is not a commit id: {value!r}")
    return value if value.strip("0") else None


def required_id(value: object, name: str) -> str:
    """Return a commit id of the event. Raises `Failure` if it is missing."""
    found = commit_value(value, name)
    if found is None:
        raise Failure(f"the event file has no {name}; pass --range BASE..HEAD")
    return found


def required_base(value: object, name: str) -> str | None:
    """Return a commit id of the event, None for zeros. Raises `Failure` if it is missing."""
    return commit_value(value, name) or (None if value else required_id(None, name))


def branch_value(value: object, name: str) -> str | None:
    """Return the name of a branch; None for nothing. Raises `Failure` for what cannot be one."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or re.search(BAD_BRANCH, value):
        raise Failure(f"{name} is not the name of a branch: {value!r}")
    return value


def branch_of_ref(ref: str, name: str) -> str | None:
    """Return the branch of `refs/heads/BRANCH`; None for a tag or another ref."""
    if not ref.startswith("refs/heads/"):
        return None
    return branch_value(ref.removeprefix("refs/heads/"), name)
