"""Settings in a repository: `[tool.pycache-guard]`, its globs, and build files."""

from __future__ import annotations

import atexit
import os
import subprocess
import tempfile
from functools import cache, partial

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.config import PROBES, parse
from pycache_guard.dockerignore.bake import read_bake, resolve_targets
from pycache_guard.dockerignore.compose import read_compose
from pycache_guard.dockerignore.devcontainer import read_devcontainer
from pycache_guard.dockerignore.dockerfile import read_sources
from pycache_guard.dockerignore.values import Unreadable, interpolate, read_environment
from pycache_guard.errors import Failure
from pycache_guard.git.history import added_entries_matching
from pycache_guard.git.index import Index
from pycache_guard.git.process import GitFailure
from pycache_guard.git.tree import Tree

TOML = (
    *(
        b"[tool.pycache-guard]\n",
        b"allow",
        b" = ",
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"'''",
        b"#",
        b"\n",
    ),
    *(b"probes", b"path", b"reason", b"blob", b"cache", b"legacy", b"1979-05-27", b"\\u0000"),
    *(b"[[tool.pycache-guard.allow]]\n", b"0x1f", b"nan", b"\r\n", b"\0", b"\xff", b", "),
)
GLOBS = (
    b"*",
    b"**",
    b"/",
    b"?",
    b"[",
    b"]",
    b"!",
    b"^",
    b"\\",
    b":",
    b"(top)",
    b".pyc",
    b"a",
    b"-",
)
BUILDS = (
    *(
        b"services:\n",
        b"  ",
        b"build: ",
        b"context: ",
        b"- ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"&a ",
        b"*a",
    ),
    *(
        b"|\n",
        b">-\n",
        b'"',
        b"'",
        b"<<: ",
        b"#",
        b": ",
        b"\n",
        b"\t",
        b"${A:-b}",
        b"include:\n",
        b",",
    ),
    *(b'target "a" {\n', b"context = ", b"contexts = {", b'"x"', b"}\n", b"<<E\n", b"//", b"/*"),
    *(b'{"target": {', b'"build": ', b"FROM a\n", b"COPY ", b"--from=b ", b"RUN --mount=", b"\\\n"),
    *(b"\\U00110000", b"%YAML ", b"extends: ", b'"inherits": ["a"]', b"${", b"$$", b":-", b":+"),
)
FILES = ("a.pyc", "d/a.pyc", "d/e/b.pyc", "[a].pyc", "ü x.pyc", "-n", "a\\b", ":c", "d/!x", "*")


def configure(data: bytes) -> str:
    """Read a configuration; the message of a refused one begins with the file."""
    try:
        config = parse(data, "f.toml")
    except Failure as failure:
        assert str(failure).startswith("f.toml: ")
        return "refused"
    assert set(config.probes) <= set(PROBES)
    assert list(config.probes) == [probe for probe in PROBES if probe in config.probes]
    last = data.count(b"\n") + 1
    assert all(each.glob and each.line in (None, *range(1, last + 1)) for each in config.allow)
    return "allowances" if config.allow else "settings"


def glob(data: bytes) -> str:
    """Match a glob against index, tree and history; all three return the same paths."""
    text = os.fsdecode(data).replace("\0", "")
    if not text.strip():
        return "nothing"
    here = os.getcwd()
    os.chdir(repository())
    try:
        answers = [matching_paths(text, n) for n in range(3)]
    finally:
        os.chdir(here)
    assert answers[0] == answers[1] == answers[2], answers
    return "refused" if answers[0] is None else "some" if answers[0] else "none"


def matching_paths(text: str, n: int) -> set[str] | None:
    """Return the paths that match in the index, HEAD or history; None if git refuses the glob."""
    ask = (
        Index().entries_matching,
        Tree("HEAD").entries_matching,
        lambda text: added_entries_matching(text, [head()]),
    )[n]
    try:
        return {entry.path for entry in ask(text)}
    except GitFailure:
        return None


@cache
def repository() -> str:
    """Make a repository with `FILES`; it is removed when this process ends."""
    directory = tempfile.TemporaryDirectory(prefix="pycache-guard-fuzz-")
    atexit.register(directory.cleanup)
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    names |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in names.items()}

    def git(*words: str, stdin: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", *words],
            cwd=directory.name,
            env={**os.environ, **names},
            input=stdin,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    git("init", "--quiet", ".")
    blob = git("hash-object", "-w", "--stdin").strip()
    lines = [b"100644 %b\t%b\0" % (blob, os.fsencode(path)) for path in FILES]
    git("update-index", "--add", "-z", "--index-info", stdin=b"".join(lines))
    git("commit", "--quiet", "--no-verify", "--message", "a")
    return directory.name


@cache
def head() -> str:
    """Return the commit of `repository`."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository(), check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def build_files(data: bytes) -> str:
    """Read a file as every kind of build file; each reader reads or refuses it."""
    environment = read_environment(data)
    read_sources(data).covers("a/b.pyc")
    readers = (read_services, bake_json, bake_hcl, read_devcontainer)
    read = 0
    for reader in readers:
        try:
            reader(data)
            read += 1
        except Unreadable as unreadable:
            assert 1 <= unreadable.line <= data.count(b"\n") + data.count(b"\r") + 3 * len(data)
    return f"{bool(environment)} {read}"


def read_services(data: bytes) -> None:
    """Read a compose file, and the variables in it."""
    for build in read_compose(data).services.values():
        for value in (build.context, build.dockerfile, *(named for _, named in build.named)):
            if value is not None:
                interpolate(value, {"A": "a"})


def bake_json(data: bytes) -> None:
    """Read a Bake file in JSON."""
    resolve_targets(read_bake(data, is_json=True))


def bake_hcl(data: bytes) -> None:
    """Read a Bake file in HCL."""
    resolve_targets(read_bake(data, is_json=False))


TARGETS = {
    "config": Target(configure, partial(seeds, "config"), TOML),
    "globs": Target(glob, partial(seeds, "globs"), GLOBS),
    "builds": Target(build_files, partial(seeds, "builds"), BUILDS),
}
