"""Where build contexts come from: every form, recognized by which ignore file is blamed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.report_parser import CLEAN, parse_report
from pycache_guard.dockerignore import values
from pycache_guard.fs.regular import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from conftest import Run
    from helpers.repo import Repo

GOOD = "**/__pycache__\n**/*.py[co]\n"
COPY = "FROM python\nCOPY . .\n"


def built(*builds: str) -> str:
    """Return a compose file with services `s0`, `s1` …, each with a `build` in flow style."""
    return "services:\n" + "".join(f"  s{n}:\n    build: {b}\n" for n, b in enumerate(builds))


#: Files (a Python file is empty), and the directories in which a `.dockerignore` is missing.
FOUND: list[tuple[dict[str, str], list[str]]] = [
    # Compose: contexts in every form.
    ({"compose.yml": built("."), "m.py": ""}, ["."]),
    ({"compose.yml": built("./a", "{context: b}"), "a/m.py": "", "b/m.py": ""}, ["a", "b"]),
    ({"compose.yml": built("{dockerfile: D}"), "m.py": ""}, ["."]),
    ({"compose.yml": built("a\\b"), "a/b/m.py": ""}, ["a/b"]),
    ({"compose.yml": built("${D:-a}", "${E:-${F:-b}}"), "a/m.py": "", "b/m.py": ""}, ["a", "b"]),
    ({"compose.yml": built("$D"), ".env": "D=a\n", "a/m.py": ""}, ["a"]),
    (
        {
            "compose.yml": built(
                "{context: a, additional_contexts: {l: ./l, i: docker-image://i, s: service:x}}"
            ),
            "a/m.py": "",
            "a/.dockerignore": GOOD,
            "l/m.py": "",
        },
        ["l"],
    ),
    (
        {
            "compose.yml": built("{context: a, additional_contexts: [l=l, u=https://x/y.git]}"),
            "a/m.py": "",
            "a/.dockerignore": GOOD,
            "l/m.py": "",
        },
        ["l"],
    ),
    # The ignore file beside a Dockerfile does not count in an additional context.
    (
        {
            "compose.yml": built("{context: a, dockerfile: D, additional_contexts: [l=a]}"),
            "a/m.py": "",
            "a/D": COPY,
            "a/D.dockerignore": GOOD,
        },
        ["a"],
    ),
    ({"compose.yml": built("https://x/y.git", "git@x:y", "github.com/x/y"), "m.py": ""}, []),
    (
        {
            "compose.yml": f"{built('a')}---\n{built('{dockerfile: D}', 'b')}",
            "a/m.py": "",
            "b/m.py": "",
        },
        ["a", "b"],
    ),
    ({"docker-compose.yml": "web:\n  build: .\n", "m.py": ""}, ["."]),
    ({"compose.yml": "x: &x\n  build: a\nservices:\n  s:\n    <<: *x\n", "a/m.py": ""}, ["a"]),
    ({"compose.yml": "services:\n  s:\n    profiles: [dev]\n    build: a\n", "a/m.py": ""}, ["a"]),
    # An inline Dockerfile: what it copies.
    ({"compose.yml": built("{context: a, dockerfile_inline: 'FROM x'}"), "a/m.py": ""}, []),
    (
        {
            "compose.yml": 'services:\n  s:\n    build:\n      context: a\n      dockerfile_inline: "FROM x\\nCOPY . /\\n"\n',
            "a/m.py": "",
        },
        ["a"],
    ),
    # An unknown Dockerfile.
    ({"compose.yml": built("{context: a, dockerfile: $D}"), "a/m.py": ""}, ["a"]),
    # Include: from the directory of the included file, or the project directory that is given.
    (
        {
            "compose.yml": "include: [x/c.yml]\n",
            "x/c.yml": built("a"),
            "x/a/m.py": "",
            "a/m.py": "",
        },
        ["x/a"],
    ),
    (
        {
            "compose.yml": "include:\n- path: [x/c.yml, x/d.yml]\n",
            "x/c.yml": built("{dockerfile: D}"),
            "x/d.yml": built("a"),
            "x/a/m.py": "",
        },
        ["x/a"],
    ),
    (
        {
            "compose.yml": "include:\n- path: x/c.yml\n  project_directory: .\n",
            "x/c.yml": built("a"),
            "x/a/m.py": "",
            "a/m.py": "",
        },
        ["a"],
    ),
    (
        {
            "compose.yml": "include:\n- path: x/c.yml\n  env_file: e\n",
            "x/c.yml": built("$D"),
            "e": "D=a",
            "x/a/m.py": "",
        },
        ["x/a"],
    ),
    ({"compose.yml": "include: ['https://x/y.git', 'oci://x']\n", "m.py": ""}, []),
    # Extends: the build of another service, seen from its file.
    (
        {
            "compose.yml": "services:\n  s: &s\n    extends: {file: x/c.yml, service: t}\n  r: *s\n",
            "x/c.yml": "services: {t: {build: a}, u: {image: i}}\n",
            "x/a/m.py": "",
            "a/m.py": "",
        },
        ["x/a"],
    ),
    (
        {
            "compose.yml": "services:\n  s:\n    extends: t\n    build: {target: x}\n  t:\n    build: a\n",
            "a/m.py": "",
            "m.py": "",
        },
        ["a"],
    ),
    (
        {
            "compose.yml": "services:\n  s:\n    extends: t\n    build: {target: x}\n  t:\n    image: i\n",
            "m.py": "",
        },
        ["."],
    ),
    (
        {
            "compose.yml": "services:\n  s:\n    extends: {file: x/c.yml, service: t}\n    build:\n      additional_contexts: [l=l]\n",
            "x/c.yml": "services: {t: {build: a}}\n",
            "x/a/m.py": "",
            "l/m.py": "",
        },
        ["l", "x/a"],
    ),
    # Overrides give parts of a build.
    (
        {
            "compose.yaml": built("a"),
            "compose.override.yaml": built("{target: x}"),
            "a/m.py": "",
            "m.py": "",
        },
        ["a"],
    ),
    (
        {
            "compose.yaml": built("a"),
            "compose.dev.yaml": built("{target: x}"),
            "a/m.py": "",
            "m.py": "",
        },
        ["a"],
    ),
    ({"compose.dev.yaml": built("{target: x}"), "m.py": ""}, ["."]),
    (
        {
            "compose.yaml": "services: {t: {build: a}}",
            "compose.dev.yaml": built("{target: x}"),
            "a/m.py": "",
            "m.py": "",
        },
        [".", "a"],
    ),
    # Known by content.
    ({"local.yml": built("a"), "a/m.py": ""}, ["a"]),
    ({"deploy/production.YAML": f"# c\n{built('a')}", "deploy/a/m.py": ""}, ["deploy/a"]),
    ({".gitlab-ci.yml": "services:\n- docker:dind\nbuild:\n  script: .\n", "m.py": ""}, []),
    # Seen from a directory above: `--project-directory`, or the first of several files.
    ({"docker/compose.yml": built("./app"), "app/m.py": ""}, ["app"]),
    # Templates and copies of other projects.
    ({"{{cookiecutter.x}}/compose.yml": built("."), "{{cookiecutter.x}}/m.py": ""}, []),
    ({"compose.yml": "services:\n{% if a %}\n  build: .\n{% endif %}\n", "m.py": ""}, []),
    ({"node_modules/x/Dockerfile": COPY, "node_modules/x/m.py": ""}, []),
    # Development containers.
    (
        {
            ".devcontainer/devcontainer.json": '{// c\n"build": {"dockerfile": "Dockerfile", "context": ".."}}',
            ".devcontainer/Dockerfile": COPY,
            "m.py": "",
        },
        ["."],
    ),
    (
        {
            ".devcontainer/devcontainer.json": '{"build": {"dockerfile": "D", "context": "${localWorkspaceFolder}"}}',
            ".devcontainer/D": COPY,
            "m.py": "",
        },
        ["."],
    ),
    ({".devcontainer/devcontainer.json": '{"image": "x"}', "m.py": ""}, []),
    (
        {
            ".devcontainer/devcontainer.json": '{"dockerComposeFile": ["../c.yml", "compose.yml"]}',
            "c.yml": built("a"),
            ".devcontainer/compose.yml": built("."),
            "m.py": "",
            ".devcontainer/m.py": "",
        },
        ["."],
    ),
    # Bake.
    (
        {
            "docker-bake.hcl": 'target "a" {\n  context = "a"\n  contexts = { l = "l", t = "target:b" }\n}\n',
            "a/m.py": "",
            "l/m.py": "",
        },
        ["a", "l"],
    ),
    (
        {
            "x/docker-bake.json": '{"target": {"a": {"dockerfile": "D"}, "b": {"context": "cwd://b"}}}',
            "x/m.py": "",
            "x/b/m.py": "",
        },
        ["x", "x/b"],
    ),
    (
        {
            "docker-bake.hcl": 'target "a" {\n  context = "a"\n}\n',
            "docker-bake.override.hcl": 'target "a" {\n  target = "x"\n}\n',
            "a/m.py": "",
            "m.py": "",
        },
        ["a"],
    ),
    # Dockerfiles built from above: where their sources are.
    ({"docker/Dockerfile": "FROM x\nCOPY src /s\n", "src/m.py": ""}, ["."]),
    (
        {"a/docker/Dockerfile": "FROM x\nCOPY src/*.py s/ /s\n", "a/src/m.py": "", "a/s/n.py": ""},
        ["a"],
    ),
    (
        {
            "docker/Dockerfile": "FROM x\nCOPY entry.sh src /\n",
            "docker/entry.sh": "",
            "src/m.py": "",
        },
        [],
    ),
    ({"docker/Dockerfile": COPY, "m.py": ""}, ["."]),
    ({"docker/Dockerfile": COPY, "docker/m.py": "", "docker/.dockerignore": GOOD, "n.py": ""}, []),
    ({"docker/Dockerfile": COPY, ".dockerignore": "x\n", "m.py": ""}, ["."]),
    ({"docker/Dockerfile": COPY, "docker/Dockerfile.dockerignore": "x\n", "m.py": ""}, ["docker"]),
    ({"docker/Dockerfile": COPY, "docker/Dockerfile.dockerignore": GOOD, "m.py": ""}, []),
    ({"Dockerfile": 'FROM x\nCOPY ["src", "/s"]\n', "src/m.py": ""}, ["."]),
    (
        {
            "compose.yml": "services: {s: {build: {context: ., target: x}, extends: {file: 'https://x/c.yml', service: t}}}",
            "m.py": "",
        },
        ["."],
    ),
    (
        {
            "compose.yml": "services: {s: {build: {target: x}, extends: {file: 'https://x/c.yml', service: t}}}",
            "m.py": "",
        },
        ["."],
    ),
    ({"a/b/compose.yml": built("./gone"), "m.py": ""}, []),
    ({"app/Dockerfile": COPY, "app/m.py": "", "n.py": ""}, ["app"]),
    ({"app/Dockerfile": "FROM x\nCOPY dist/x.whl m.py /\n", "app/m.py": "", "m.py": ""}, []),
    ({"app/Dockerfile": "FROM x\nCOPY gone /\n", "app/m.py": ""}, []),
    ({"docker/Containerfile": "FROM x\nCOPY src /\n", "src/m.py": ""}, ["."]),
    # What is not copied is not sent.
    ({"Dockerfile": "FROM x\nRUN true\n", "m.py": ""}, []),
    ({"Dockerfile": "FROM x\nCOPY requirements.txt *.py /\n", "m.py": ""}, []),
    (
        {
            "Dockerfile": "FROM x\nCOPY src /\n",
            "src/m.py": "",
            ".dockerignore": "src/__pycache__\nsrc/*.py[co]\n",
        },
        ["."],
    ),
    ({"Dockerfile": "FROM x\nRUN --mount=target=/x true\n", "m.py": ""}, ["."]),
    # An ignore file marks a context.
    ({"app/.dockerignore": "x\n", "app/m.py": ""}, ["app"]),
    ({"app/.dockerignore": GOOD, "app/m.py": ""}, []),
    # Without Python.
    ({"db/Dockerfile": "FROM postgres\nCOPY . /\n", "db/init.sql": "", "m.py": ""}, []),
]


@pytest.mark.parametrize(("files", "directories"), FOUND)
def test_build_context_is_found_in_every_form(
    repo: Repo, run: Run, files: dict[str, str], directories: list[str]
) -> None:
    repo.stage_files(files)
    answer = run("check-dockerignore")
    blamed = {
        os.path.dirname(line.place.partition(":")[0]) or "." for line in parse_report(answer.out)
    }
    assert (sorted(blamed), answer.err) == (sorted(directories), "")
    assert answer.code == bool(directories)


#: Few bytes, and 360,000 additional contexts.
ALIASES = "".join(
    (
        "x: &a {context: ., additional_contexts: {",
        *(f"a{n}: b, " for n in range(600)),
        "}}\nservices:\n",
        *(f"  s{n}: {{build: *a}}\n" for n in range(600)),
    )
)


#: How this Python says that `{` is not JSON.
UNCLOSED_OBJECT = (
    "Key name must be string at char"
    if sys.implementation.name == "pypy"
    else "Expecting property name enclosed in double quotes"
)
UNKNOWN: list[tuple[dict[str, str], str]] = [
    (
        {"compose.yml": built("~/x")},
        "compose.yml:3: ~/x is outside the repository and not checked",
    ),
    (
        {"compose.yml": built("/x")},
        "compose.yml:3: /x is outside the repository and not checked",
    ),
    (
        {"compose.yml": built("'C:\\x'")},
        "compose.yml:3: C:\\x is outside the repository and not checked",
    ),
    (
        {"compose.yml": built("{additional_contexts: [a=../x]}")},
        "compose.yml:3: ../x is outside the repository and not checked",
    ),
    (
        {"compose.yml": built("{additional_contexts: {a: $X}}")},
        "compose.yml:3: `$X` depends on the environment; pass the contexts to check as arguments",
    ),
    (
        {"compose.yml": "include: [$X]\n"},
        "compose.yml:1: `$X` depends on the environment; pass the contexts to check as arguments",
    ),
    (
        {"compose.yml": "services:\n\t- a\n"},
        (
            "compose.yml:2: it is not YAML: found character '\\t' that cannot start any token;"
            " pass the contexts to check as arguments"
        ),
    ),
    (
        {"compose.yml": "services: {s: {extends: t}}"},
        "compose.yml:1: it extends `t`, which does not exist; pass the contexts to check as arguments",
    ),
    (
        {"compose.yml": "services: {s: {extends: {file: x.yml, service: t}}}", "x.yml": ""},
        "compose.yml:1: it extends `t`, which does not exist; pass the contexts to check as arguments",
    ),
    (
        {"compose.yml": "services: {s: {extends: {file: x.yml, service: t}}}"},
        "x.yml: another file refers to it, but git does not track it",
    ),
    (
        {"compose.yml": "services: {s: {extends: {file: /x.yml, service: t}}}"},
        "compose.yml:1: /x.yml is outside the repository and not checked",
    ),
    (
        {"compose.yml": "services: {s: {extends: t}, t: {extends: s}}"},
        "compose.yml:1: its `extends` form a cycle; pass the contexts to check as arguments",
    ),
    (
        {"docker-bake.hcl": 'target "a" {\n  context = f()\n}\n'},
        "docker-bake.hcl:2: `f()` is an expression; pass the contexts to check as arguments",
    ),
    (
        {".devcontainer.json": "{"},
        (
            f".devcontainer.json:1: it is not JSON with comments: {UNCLOSED_OBJECT}; pass the contexts"
            " to check as arguments"
        ),
    ),
    (
        {".devcontainer.json": '{"dockerComposeFile": "x.yml"}'},
        "x.yml: another file refers to it, but git does not track it",
    ),
    ({"Dockerfile": "#" * (MAX_TEXT_BYTES + 1)}, "Dockerfile:1: the file is larger than 1 MiB"),
    (
        {"docker-bake.json": '{"target": {"a": {"dockerfile": "D"}}}', "D": "#" * (1 << 21)},
        "D:1: the file is larger than 1 MiB",
    ),
    (
        {"Dockerfile": "", ".dockerignore": "#" * (MAX_TEXT_BYTES + 1), "a.py": ""},
        ".dockerignore:1: the file is larger than 1 MiB",
    ),
    (
        {"compose.yml": "services: {s: {build: .}}", ".env": "#" * (MAX_TEXT_BYTES + 1)},
        ".env:1: the file is larger than 1 MiB; pass the contexts to check as arguments",
    ),
    (
        {"compose.yml": ALIASES},
        (
            "compose.yml:1: its aliases, merges, includes or inherited values make too many values;"
            " pass the contexts to check as arguments"
        ),
    ),
    (
        {"compose.yml": "services: {s: {build: %s}}" % ("a" * 5000)},
        "compose.yml:1: a value has more than 4096 characters; pass the contexts to check as arguments",
    ),
]


@pytest.mark.parametrize(("files", "error"), UNKNOWN)
def test_unknown_context_is_an_error(
    repo: Repo, run: Run, files: dict[str, str], error: str
) -> None:
    repo.stage_files(files)
    assert run("check-dockerignore") == (2, "", f"error: {error}\n")


def test_includes_without_end_are_an_error(repo: Repo, run: Run) -> None:
    files = {
        f"{n}.yml": f"include: [{n + 1}.yml]\nservices: {{s: {{image: build}}}}\n"
        for n in range(30)
    }
    repo.stage_files({**files, "compose.yml": "include: [0.yml]\n"})
    answer = run("check-dockerignore")
    assert answer.code == 2
    assert "its includes form a cycle" in answer.err


def test_includes_that_multiply_are_an_error(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "MAX_VALUES", 10_000)
    again = "".join(
        f"- {{path: {'../' * depth}x.yml, project_directory: d{n}}}\n"
        for depth in range(1, 4)
        for n in range(100)
    )
    services = "".join(f"  s{n}: {{build: .}}\n" for n in range(200))
    first = "include: [{path: x.yml, project_directory: d}]\n"
    repo.stage_files(
        {"compose.yml": first, "x.yml": f"include:\n{again}services:\n{services}", "m.py": ""}
    )
    answer = run("check-dockerignore")
    assert answer.code == 2
    assert "includes or inherited values make too many values" in answer.err


def test_links_to_other_ignore_files_are_followed(repo: Repo, run: Run) -> None:
    repo.stage("m.py")
    repo.stage("Dockerfile", COPY)
    repo.stage(".gitignore", GOOD)
    repo.stage(".dockerignore", ".gitignore", mode="120000")
    assert run("check-dockerignore") == CLEAN
    repo.stage(".gitignore", "__pycache__/\n")
    assert run("check-dockerignore").code == 1


def test_a_context_with_tracked_bytecode_and_no_python_is_checked(repo: Repo, run: Run) -> None:
    repo.stage("Dockerfile", COPY)
    repo.stage("pkg/__pycache__/m.cpython-313.pyc")
    repo.stage("n.pyc")
    assert run("check-dockerignore").code == 1


def test_settings_of_git_do_not_hide_files(repo: Repo, run: Run) -> None:
    repo.stage("local.yml", built("a"))
    repo.stage("a/m.py")
    repo.git("config", "color.ui", "always")
    repo.git("config", "grep.patternType", "fixed")
    repo.git("config", "grep.lineNumber", "true")
    (repo.path / "a").mkdir(exist_ok=True)
    assert run("check-dockerignore").code == 1


def test_the_rule_can_be_ignored(repo: Repo, run: Run) -> None:
    repo.stage("m.py")
    repo.stage("Dockerfile", COPY)
    repo.write("pyproject.toml", "[tool.pycache-guard]\nignore = ['PYC301']\n")
    assert run("check-dockerignore") == CLEAN
