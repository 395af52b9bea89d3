"""Text files made to stall a command, to take memory or to end in a traceback: each reader bears them.

Processor time is compared for two sizes, as in `test_growth`; memory is that of the larger one.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from helpers.memory import trace_memory
from pycache_guard import config
from pycache_guard.dist.metadata import backend
from pycache_guard.dockerignore import dockerfile, values
from pycache_guard.dockerignore.build_files import BuildFiles, Files
from pycache_guard.dockerignore.patterns import Dockerignore, InvalidLine
from pycache_guard.dockerignore.values import Unreadable, read_environment
from pycache_guard.doctor import hook_configurations
from pycache_guard.doctor.hook_configurations import Configurations
from pycache_guard.doctor.hook_scripts import Scripts
from pycache_guard.errors import Failure
from pycache_guard.lint.paths import FORMATTED
from pycache_guard.toml_tokens import split_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[bytes], object]
    Maker = Callable[[int], str]

SIZE = 1000
#: The largest ratio of costs for ten times the size; seconds below the least count as that.
MOST = 15
LEAST_SECONDS = 0.004
#: A busy machine makes some runs dearer: only a text that is too dear each time is.
TRIES = 4
#: Of memory for each byte of the text, besides what does not grow.
MOST_BYTES = 500
FIXED_BYTES = 1 << 19
#: The texts with something that is used many times.
MULTIPLYING = re.compile("aliases|escapes|inherit|long|merges|many")
REFUSALS = (Failure, InvalidLine, Unreadable)


def repeat(unit: str, before: str = "", after: str = "") -> Maker:
    """Return a maker of texts in which `unit` is repeated; `{n}` in it is a number."""

    def make(size: int) -> str:
        count = size // len(unit.replace("{n}", "1000").replace("{m}", "1000"))
        numbers = range(max(count, 1))
        units = [unit.replace("{n}", str(n)).replace("{m}", str(n + 1)) for n in numbers]
        return before + "".join(units if "{" in unit else [unit] * count) + after

    return make


def both(first: Maker, second: Maker) -> Maker:
    """Return a maker of texts of two parts."""
    return lambda size: first(size // 2) + second(size // 2)


def read_builds(content: bytes, name: bytes, environment: bytes = b"") -> None:
    """Read a build file of this name, the only one besides `.env` in the repository."""
    files = {name: content, b".env": environment}
    builds = BuildFiles(Files(files, files.get), [])
    builds.read_devcontainers([name] if name == b"devcontainer.json" else [])
    builds.read_compose_files([name] if name == b"compose.yaml" else [])
    builds.read_bake_files([name] if name.startswith(b"docker-bake") else [])


def read_with_environment(content: bytes) -> None:
    """Read a compose file with a variable of the same size."""
    read_builds(content, b"compose.yaml", b"A=" + b"x" * len(content))


def match_patterns(content: bytes) -> None:
    """Match paths by a `.dockerignore`."""
    rules = Dockerignore(content)
    for path in ("m.py", "a/b/__pycache__/m.pyc"):
        rules.excludes(path)


def read_toml_tokens(content: bytes) -> None:
    """Split a TOML file."""
    for _ in split_tokens(content.decode("utf-8")):
        pass


def find_placeholders(content: bytes) -> None:
    """Find the placeholders of a path, as the linter does."""
    FORMATTED.findall(content.decode("utf-8"))


def read_wheel(content: bytes) -> None:
    """Read the `WHEEL` file of a wheel."""
    backend({"a.dist-info/WHEEL": content})


class OneFile(Configurations):
    """The configurations of a work tree that has one file."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__("/nowhere")
        self._file = (name, content.decode("utf-8"))

    def find(self, names: tuple[str, ...]) -> str | None:
        """Return the name of the file, if it is one of `names`."""
        return self._file[0] if self._file[0] in names else None

    def read_text(self, name: str) -> str:
        """Return the content of the file."""
        return self._file[1] if name == self._file[0] else ""


def pre_commit(content: bytes) -> None:
    """Read a configuration of pre-commit."""
    OneFile(".pre-commit-config.yaml", content).list_configured()


#: Calls whatever the other file defines.
CALLS = b"npm run a\nmake a\njust a\nlefthook run pre-commit\n"


def run_hook(content: bytes, name: str = "") -> None:
    """Check a hook, or one that calls what a file of this name defines."""
    configurations = OneFile(name, content)
    Scripts("/nowhere", None, configurations).check_hook("pre-commit", CALLS if name else content)


bake = partial(read_builds, name=b"docker-bake.hcl")
bake_json = partial(read_builds, name=b"docker-bake.json")
compose = partial(read_builds, name=b"compose.yaml")
devcontainer = partial(read_builds, name=b"devcontainer.json")

CONTEXT = 'target "x" {\n context = "'
BASE = both(lambda _: 'target "b" { contexts = {', repeat('c{n}="d",', after="}}\n"))
MAPPING = repeat("k{n}: b, ", "x: &a {", "}\n")
SERVICES = "services:\n"
BUILD = 'services:\n a:\n  build:\n   context: "'

BUILD_FILES: dict[str, tuple[Reader, Maker]] = {
    "hcl blocks in blocks": (bake, repeat("a { ", 'target "x" { ')),
    "hcl closed blocks in blocks": (bake, both(repeat("a { ", 'target "x" { '), repeat("} "))),
    "hcl strings in templates": (bake, repeat('"${')),
    "hcl braces in templates": (bake, repeat('"${{')),
    "hcl templates in a string": (bake, repeat("${", CONTEXT)),
    "hcl quotes in templates": (bake, repeat('"${"}"', 'x = "')),
    "hcl escapes": (bake, repeat('\\"', 'a = "')),
    "hcl quotes": (bake, repeat('"x ')),
    "hcl comments": (bake, repeat("/* ")),
    "hcl here-documents": (bake, repeat("a = <<a\n")),
    "hcl here-documents of other names": (bake, repeat("a = <<a{n}\n")),
    "hcl blanks in a variable": (bake, repeat("${   ", CONTEXT, '"\n}\n')),
    "hcl targets that inherit often": (
        bake,
        repeat('target "t{n}" { inherits = ["t{m}","t{m}","t{m}"] }\n'),
    ),
    "hcl chain": (bake, repeat('target "t{m}" { inherits = ["t{n}"] }\n')),
    "hcl contexts": (bake, repeat('c{n}="d",', 'target "x" { contexts = {', "}}\n")),
    "hcl contexts inherited by many": (
        bake,
        both(BASE, repeat('target "a{n}" { inherits = ["b"] }\n')),
    ),
    "hcl contexts inherited often": (
        bake,
        both(BASE, repeat('"b",', 'target "a" { inherits = [', "] }\n")),
    ),
    "hcl long default": (
        bake,
        both(
            repeat("x", 'variable "V" { default = "', '" }\n'),
            repeat("${V}", CONTEXT, '"\n}\n'),
        ),
    ),
    "hcl long default of many": (
        bake,
        both(
            repeat("x", 'variable "V" { default = "', '" }\n'),
            repeat('target "a{n}" { context = V }\n'),
        ),
    ),
    "hcl long inline Dockerfile of many": (
        bake,
        both(
            repeat("x", 'target "b" { dockerfile-inline = "', '" }\n'),
            repeat('target "a{n}" { inherits = ["b"] }\n'),
        ),
    ),
    "bake json lists": (bake_json, repeat("[")),
    "bake json number": (bake_json, repeat("99999", '{"a": ', "}")),
    "bake json surrogates": (
        bake_json,
        lambda _: '{"target": {"a": {"context": "\\ud800", "dockerfile-inline": "\\ud800"}}}',
    ),
    "bake json targets that inherit often": (
        bake_json,
        lambda size: json.dumps(
            {"target": {f"t{n}": {"inherits": [f"t{n + 1}"] * 4} for n in range(size // 40)}}
        ),
    ),
    "devcontainer lists": (devcontainer, repeat("[")),
    "devcontainer number": (devcontainer, repeat("99999", '{"a": ', "}")),
    "devcontainer surrogates": (
        devcontainer,
        lambda _: '{"build": {"dockerfile": "\\ud800", "context": "\\udfff"}}',
    ),
    "devcontainer escapes": (devcontainer, repeat('\\"')),
    "devcontainer escapes in a string": (devcontainer, repeat('\\"', '{"a": "', '"}')),
    "devcontainer comments": (devcontainer, repeat("/* ", '{"a": "b" ')),
    "devcontainer blanks": (devcontainer, repeat(" \n", "[1,")),
    "compose list": (compose, repeat("a,", "[", "]")),
    "compose merges of merges": (
        compose,
        repeat(" s{m}: &a{m} {<<: [*a{n}, *a{n}]}\n", "services:\n s0: &a0 {build: x}\n"),
    ),
    "compose merges of one mapping": (
        compose,
        both(MAPPING, repeat("*a, ", "services:\n s: {<<: [", "]}\n")),
    ),
    "compose merges in many services": (
        compose,
        both(both(MAPPING, lambda _: SERVICES), repeat(" s{n}: {<<: *a}\n")),
    ),
    "compose aliases of a long context": (
        compose,
        both(repeat("$$", 'x: &a "', f'"\n{SERVICES}'), repeat(" s{n}: {build: *a}\n")),
    ),
    "compose aliases of an unknown context": (
        compose,
        both(repeat("x", 'x: &a "$X', f'"\n{SERVICES}'), repeat(" s{n}: {build: *a}\n")),
    ),
    "compose aliases of additional contexts": (
        compose,
        both(
            repeat("k{n}: b, ", "x: &a {additional_contexts: {", f"}}}}\n{SERVICES}"),
            repeat(" s{n}: {build: *a}\n"),
        ),
    ),
    "compose aliases of an inline Dockerfile": (
        compose,
        both(
            repeat("RUN x\\n", 'x: &a {dockerfile_inline: "', f'"}}\n{SERVICES}'),
            repeat(" s{n}: {build: *a}\n"),
        ),
    ),
    "compose service in many documents": (
        compose,
        repeat("---\nservices: {a: {build: {additional_contexts: {a{n}: b}}}}\n"),
    ),
    "compose service of another file": (
        compose,
        repeat(" s{n}: {extends: {file: compose.yaml, service: s0}}\n", SERVICES),
    ),
    "compose includes": (
        compose,
        repeat("- {path: compose.yaml, project_directory: d{n}}\n", "include:\n"),
    ),
    "compose aliases of an include": (
        compose,
        both(repeat("b.yaml, ", "x: &a {path: [", "]}\n"), repeat("*a, ", "include: [", "]\n")),
    ),
    "compose environment files": (
        compose,
        repeat(".env, ", "include:\n- {path: compose.yaml, env_file: [", "]}\n"),
    ),
    "compose dollars": (compose, repeat("$$", BUILD, '"\n')),
    "compose variables that are not closed": (compose, repeat("${a-", BUILD, '"\n')),
    "compose long variable": (read_with_environment, repeat("${A}", BUILD, '"\n')),
    "compose surrogates": (
        compose,
        lambda _: (
            'services:\n a: {build: "\\ud800"}\n b: {build: {dockerfile_inline: "\\ud800"}}\n'
        ),
    ),
    "environment file": (read_environment, repeat(" #", "a=")),
}

FROM = "FROM x\n"
DOCKERFILES: dict[str, tuple[Reader, Maker]] = {
    "options of COPY": (dockerfile.read_sources, repeat("--a ", f"{FROM}COPY ")),
    "COPY of a list in lists": (dockerfile.read_sources, repeat("[", f"{FROM}COPY ")),
    "COPY of a surrogate": (dockerfile.read_sources, lambda _: f'{FROM}COPY ["\\ud800", "b"]\n'),
    "variables that are not closed": (dockerfile.read_sources, repeat("${a", f"{FROM}COPY ", " b")),
    "default that is not closed": (dockerfile.read_sources, repeat("x", f"{FROM}COPY ${{a-", " b")),
    "name that is not closed": (dockerfile.read_sources, repeat("x", f"{FROM}COPY ${{", " b")),
    "sources": (dockerfile.read_sources, repeat("COPY a{n} b\n", FROM)),
    "long value": (
        dockerfile.read_sources,
        both(repeat("x", f"{FROM}ARG A=", "\nCOPY "), repeat("$A", after=" b\n")),
    ),
    "long value in many sources": (
        dockerfile.read_sources,
        both(repeat("x", f"{FROM}ARG A=", "\nCOPY "), repeat("$A/{n} ", after=" b\n")),
    ),
    "long value in many mounts": (
        dockerfile.read_sources,
        both(repeat("x", f"{FROM}ARG A=", "\nRUN "), repeat("--mount=source=$A ")),
    ),
    "long name in ARG": (dockerfile.read_sources, repeat("a", f"{FROM}ARG ")),
    "option of FROM": (dockerfile.read_sources, repeat("-", "FROM ")),
    "here-documents": (dockerfile.read_sources, repeat("RUN <<a{n}\n", FROM)),
    "quoted here-documents": (dockerfile.read_sources, repeat('<<"a', f"{FROM}RUN ")),
    "continued lines": (dockerfile.read_sources, repeat("a \\\n", f"{FROM}RUN ")),
    "ignored stars": (match_patterns, repeat("*a{n}\n")),
    "ignored and sent": (match_patterns, repeat("!a{n}\n*\n")),
    "ignored alternatives": (match_patterns, repeat("a*|")),
}

ALLOW = "[tool.pycache-guard]\nallow = ["
pyproject = partial(config.parse, file="pyproject.toml")
TOML: dict[str, tuple[Reader, Maker]] = {
    "toml quotes": (pyproject, repeat('\\"', 'a = "')),
    "toml escapes": (pyproject, repeat('\\"', 'a = "', '"\n')),
    "toml quotes of several lines": (read_toml_tokens, repeat('\\"""\n')),
    "toml commas": (pyproject, repeat(", ", "a = {")),
    "toml commas of TOML 1.1": (pyproject, repeat("\n", "a = {b = 1,", "}\n")),
    "toml inline table": (pyproject, repeat("a{n} = 1, ", "a = {", "}\n")),
    "toml dotted key": (pyproject, repeat("a.", "", "a = 1\n")),
    "toml dotted table": (pyproject, repeat("a.", "[", "a]\n")),
    "toml allow entries": (pyproject, repeat('{path = "a{n}", reason = "x"},\n', ALLOW, "]\n")),
    "toml code of a rule": (
        pyproject,
        repeat("1", '[tool.pycache-guard]\nignore = ["PYC', '"]\n'),
    ),
}

LOCAL = "repos: [{repo: local, hooks: [{id: a, entry: "
HOOKS: dict[str, tuple[Reader, Maker]] = {
    "configuration merges of merges": (
        pre_commit,
        repeat("a{m}: &a{m} {<<: [*a{n}, *a{n}, *a{n}]}\n", "a0: &a0 {x: x}\n"),
    ),
    "configuration merges of one mapping": (
        pre_commit,
        both(MAPPING, repeat("*a, ", "s: {<<: [", "]}\n")),
    ),
    "configuration aliases of aliases": (
        pre_commit,
        lambda size: "".join(
            [
                "a0: &a0 [x]\n",
                *(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(size // 100)),
                f"{LOCAL}*a{size // 100}}}]}}]\n",
            ]
        ),
    ),
    "configuration cycle": (pre_commit, lambda _: f"{LOCAL}&a [*a]}}]}}]\n"),
    "configuration values of a wrong type": (
        pre_commit,
        lambda _: "a: !!timestamp x\nb: !!bool x\nc: !!int x\nd: !!set {a}\n? [a]\n: b\n",
    ),
    "configuration number": (pre_commit, repeat("1:", "a: ", "1.5\n")),
    "package.json blank lines": (partial(run_hook, name="package.json"), repeat(" \n")),
    "package.json number": (partial(run_hook, name="package.json"), repeat("99999")),
    "npm scripts that call each other": (
        partial(run_hook, name="package.json"),
        repeat("npm run a; npm run b{n};", '{"scripts": {"a": "', '"}}'),
    ),
    "make rules": (
        partial(run_hook, name="Makefile"),
        repeat("a{n}: a{m}\n\tmake a{m}\n", "a: a0\n"),
    ),
    "make rules that call each other": (
        partial(run_hook, name="Makefile"),
        repeat("\tmake a\n\tmake b{n}\n", "a:\n"),
    ),
    "tasks of one name": (partial(run_hook, name="justfile"), repeat("a:\n")),
    "tasks in tasks": (partial(run_hook, name="justfile"), repeat(" a:\n", "a:\n")),
    "tasks that call each other": (
        partial(run_hook, name="justfile"),
        repeat("  just a\n  just b{n}\n", "a:\n"),
    ),
    "task without a colon": (partial(run_hook, name="justfile"), repeat("a")),
    "task behind blanks": (partial(run_hook, name="justfile"), repeat(" ", after="a")),
    "task in brackets": (partial(run_hook, name="justfile"), repeat("a", "[")),
    "lefthook extends itself": (
        partial(run_hook, name="lefthook.yml"),
        repeat("lefthook.yml, ", "extends: [", "]\n"),
    ),
    "lefthook groups in groups": (
        partial(run_hook, name="lefthook.yml"),
        repeat(
            "a{m}: &a{m} {jobs: [{group: *a{n}}, {group: *a{n}}]}\n",
            "a0: &a0 {}\n",
            "pre-commit: *a9\n",
        ),
    ),
    "lefthook group in itself": (
        partial(run_hook, name="lefthook.yml"),
        repeat("{group: *a}, ", "pre-commit: &a {jobs: [", "]}\n"),
    ),
    "script that is long": (run_hook, repeat("pycache-guard forbid-bytecode {n}\n", "#!/bin/sh\n")),
    "script of blank lines": (run_hook, repeat("\n", "#!/bin/sh\npycache-guard ci\n")),
    "script of runners": (run_hook, repeat("pre-commit run a{n}\n")),
}

OTHERS: dict[str, tuple[Reader, Maker]] = {
    "lint names of placeholders": (find_placeholders, repeat("%(")),
    "lint widths of placeholders": (find_placeholders, repeat("0", "%")),
    "generator of a wheel": (read_wheel, repeat(" ", "Generator: a", "b")),
}

TEXTS = {**OTHERS, **BUILD_FILES, **DOCKERFILES, **TOML, **HOOKS}


def run(read: Reader, content: bytes) -> None:
    """Read a text. The reader may refuse it."""
    with suppress(*REFUSALS):
        read(content)


def measure_seconds(read: Reader, content: bytes) -> float:
    """Return the processor time of a reader."""
    start = time.process_time()
    run(read, content)
    return max(time.process_time() - start, LEAST_SECONDS)


def measure_bytes(read: Reader, content: bytes) -> int:
    """Return the memory that a reader takes, at the most."""
    with trace_memory() as peak:
        run(read, content)
        return peak()


@pytest.fixture(autouse=True)
def lower_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the limits, time and memory grow with the square."""
    monkeypatch.setattr(values, "MAX_VALUES", 1000)
    monkeypatch.setattr(hook_configurations, "MAX_CALLED_CHARS", 30_000)


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", TEXTS)
def test_ten_times_the_text_takes_at_most_fifteen_times_as_long(name: str) -> None:
    read, make = TEXTS[name]
    few, many = (make(size).encode("utf-8") for size in (SIZE, 10 * SIZE))
    for _ in range(TRIES):
        seconds = [measure_seconds(read, content) for content in (few, many)]
        if seconds[1] <= MOST * seconds[0]:
            return
    pytest.fail(f"ten times the size took {seconds}")


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", [name for name in TEXTS if MULTIPLYING.search(name)])
def test_memory_is_in_proportion_to_the_text(name: str) -> None:
    read, make = TEXTS[name]
    content = make(10 * SIZE).encode("utf-8")
    assert measure_bytes(read, content) <= FIXED_BYTES + MOST_BYTES * len(content)
