"""More workloads: each command in the dimensions that users grow, besides that of `workloads`."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from benchmarks.bundle import make_packages
from benchmarks.repositories import IDENTITY, fast_import, git, modules, repository
from benchmarks.workloads import RULES, Task, Workload, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Maker = Callable[[Path, int], Task]

FORMATS = ("text", "json", "github", "gitlab", "sarif", "rdjson", "junit")
HEAD_OF_PYC = b"\xa7\r\r\n" + bytes(12)
#: An ignore file that has nothing to do with bytecode, and one that re-includes it.
OTHER_RULES = "/local\n"
REINCLUDING = "!*.pyc\n!__pycache__/\n"


def start(work: Path, name: str) -> Path:
    """Make an empty repository."""
    place = work / name
    git(work, "init", "-q", "-b", "main", str(place))
    return place


def add_blobs(place: Path, blobs: dict[bytes, list[str]]) -> None:
    """Put paths with their contents into the index."""
    for content, paths in blobs.items():
        blob = git(place, "hash-object", "-w", "--stdin", given=content)
        lines = "".join(f"100644 {blob}\t{path}\n" for path in paths)
        git(place, "update-index", "--add", "--index-info", given=lines.encode())


def spread(size: int, name: str) -> list[str]:
    """Return paths, 50 to a directory; `{n}` in the name is the number."""
    return [f"d{n // 50:04}/{name.format(n=n)}" for n in range(size)]


def compile_all(place: Path, *options: str) -> None:
    """Compile everything below a directory."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", *options, "."], cwd=place, check=True)


def findings(form: str) -> Maker:
    """Return a maker of tracked bytecode, reported in a format."""

    def make(work: Path, size: int) -> Task:
        listing = modules(size // 100, 100, ".pyc")
        place = repository(work / f"found-{form}-{size}", listing, RULES)
        return Task(place, ["forbid-bytecode", "--format", form])

    return make


def contents(work: Path, size: int) -> Task:
    """Make files of other names that are bytecode."""
    place = start(work, f"contents-{size}")
    add_blobs(place, {HEAD_OF_PYC + b"\xe3" + bytes(50): spread(size, "m{n}.bin")})
    return Task(place, ["forbid-bytecode"])


def misplaced(work: Path, size: int) -> Task:
    """Make files in one cache directory, on disk, that all have the name they would be moved to."""
    place = start(work, f"misplaced-{size}")
    paths = [f"__pycache__/d{n}/README" for n in range(size)]
    add_blobs(place, {b"text\n": paths})
    for path in paths:
        (place / path).parent.mkdir(parents=True)
        (place / path).write_text("text\n", encoding="ascii")
    return Task(place, ["forbid-bytecode"])


def allowances(glob: str) -> Maker:
    """Return a maker of allow entries: `{n}` in the glob is the number; most files are allowed by one."""

    def make(work: Path, size: int) -> Task:
        place = start(work, f"allowances-{len(glob)}-{size}")
        rows = "".join(
            f"    {{ path = 'd{n // 50:04}/{glob.format(n=n)}', reason = 'x' }},\n"
            for n in range(size)
        )
        table = f"[tool.pycache-guard]\nallow = [\n{rows}]\n"
        (place / "pyproject.toml").write_text(table, encoding="ascii")
        git(place, "add", "pyproject.toml")
        count = 1000 if "*" in glob else size
        add_blobs(place, {b"x": spread(count, "m{n}.pyc")})
        return Task(place, ["forbid-bytecode"])

    return make


def ignore_files(text: str, *arguments: str) -> Maker:
    """Return a maker of directories with a module and an ignore file each."""

    def make(work: Path, size: int) -> Task:
        place = start(work, f"ignoring-{arguments[0]}-{len(text)}-{size}")
        for name, content in RULES.items():
            (place / name).write_text(content, encoding="ascii")
        git(place, "add", ".")
        files = {".gitignore": text, "m.py": "x = 1\n"}
        for directory in spread(size, "e{n}"):
            (place / directory).mkdir(parents=True)
            for name, content in files.items():
                (place / directory / name).write_text(content, encoding="ascii")
        add_blobs(
            place,
            {
                content.encode(): [f"{directory}/{name}" for directory in spread(size, "e{n}")]
                for name, content in files.items()
            },
        )
        git(place, *IDENTITY, "commit", "-q", "-m", "c")
        return Task(place, [*arguments])

    return make


def directories(*arguments: str) -> Maker:
    """Return a maker of empty directories."""

    def make(work: Path, size: int) -> Task:
        place = start(work, f"directories-{arguments[0]}-{size}")
        (place / "a.py").write_text("x = 1\n", encoding="ascii")
        if arguments[0] == "verify-bytecode":
            compile_all(place)
        for directory in spread(size, "e{n}"):
            (place / directory).mkdir(parents=True)
        return Task(place, [*arguments])

    return make


def orphans(work: Path, size: int) -> Task:
    """Make legacy files whose sources a commit had."""
    place = start(work, f"orphans-{size}")
    add_blobs(place, {b"x = 1\n": [f"m{n}.py" for n in range(size)]})
    git(place, *IDENTITY, "commit", "-q", "-m", "c")
    for n in range(size):
        (place / f"m{n}.pyc").write_bytes(HEAD_OF_PYC)
    return Task(place, ["clean", "--orphans", "--dry-run"])


def commit(n: int, parent: str, path: str) -> bytes:
    """Return a commit for fast-import that adds a file."""
    words = (
        f"commit refs/heads/{'main' if parent else f'b{n}'}\nmark :{n}\n"
        f"committer b <b@example.com> {n} +0000\ndata 0\n{parent}"
        f"M 644 inline {path}\ndata 4\nabcd\n"
    )
    return words.encode("ascii")


def bytecode_commits(*arguments: str) -> Maker:
    """Return a maker of commits that each add bytecode."""

    def commits(size: int) -> Iterator[bytes]:
        for n, path in enumerate(spread(size, "m{n}.pyc"), start=1):
            yield commit(n, f"from :{n - 1}\n" if n > 1 else "\n", path)

    def make(work: Path, size: int) -> Task:
        place = start(work, f"bytecode-{arguments[0]}-{size}")
        fast_import(place, commits(size))
        git(place, "read-tree", "HEAD")
        return Task(place, [*arguments])

    return make


def refs(command: str) -> Maker:
    """Return a maker of branches with one commit each."""

    def make(work: Path, size: int) -> Task:
        place = start(work, f"refs-{command}-{size}")
        fast_import(place, (commit(n + 1, "", p) for n, p in enumerate(spread(size, "m{n}.txt"))))
        names = git(place, "for-each-ref", "--format=%(refname)").split()
        ids = git(place, "for-each-ref", "--format=%(objectname)").split()
        git(place, "pack-refs", "--all")
        old = "0" * 40
        lines = {
            "pre-push": [f"{r} {i} {r} {old}\n" for r, i in zip(names, ids, strict=True)],
            "pre-receive": [f"{old} {i} {r}\n" for r, i in zip(names, ids, strict=True)],
        }
        line = work / f"lines-{command}-{size}"
        line.write_text("".join(lines.get(command, [])), encoding="ascii")
        if command == "pre-receive":
            git(
                place,
                "update-ref",
                "--stdin",
                given="".join(f"delete {r}\n" for r in names).encode(),
            )
        arguments = {
            "pre-push": ["pre-push", "origin", "url"],
            "pre-receive": ["pre-receive"],
            "ranges": ["check-history", *ids],
        }
        return Task(place, arguments.get(command, ["check-history", "--all"]), line)

    return make


def other_code(work: Path, size: int) -> Task:
    """Make bytecode of other sources than those beside it, of the same size and time."""
    place = work / f"other-{size}"
    sources(place, size)
    for path in place.rglob("*.py"):
        os.utime(path, (1, 1))
    compile_all(place)
    for path in place.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"number", b"nomber"))
        os.utime(path, (1, 1))
    return Task(place, ["verify-bytecode"])


def tracked_caches(work: Path, size: int) -> Task:
    """Make tracked bytecode with its sources."""
    place = start(work, f"tracked-{size}")
    sources(place, size)
    compile_all(place)
    git(place, "add", "--all", "--force")
    return Task(place, ["verify-bytecode", "--tracked"])


def lint_findings(work: Path, size: int) -> Task:
    """Make one file with many findings."""
    place = work / f"unsafe-{size}"
    place.mkdir()
    text = "import marshal\n" + "x = marshal.loads(d[16:])\n" * size
    (place / "m.py").write_text(text, encoding="ascii")
    return Task(place, ["lint", "m.py"])


def dist_findings(work: Path, size: int) -> Task:
    """Make a wheel of bytecode."""
    wheel = work / f"bytecode-{size}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for path in spread(size, "m{n}.pyc"):
            file.writestr(f"package/{path}", HEAD_OF_PYC)
    return Task(work, ["check-dist", str(wheel)])


def bundle_archive(ending: str) -> Maker:
    """Return a maker of a zip file of modules: with their legacy files, or without (`.py`)."""

    def make(work: Path, size: int) -> Task:
        top = make_packages(work / f"zipped-{ending}-{size}", size)
        compile_all(top, "-b")
        archive = top.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w") as file:
            for path in sorted(top.rglob(f"*{ending}")):
                file.write(path, path.relative_to(top))
        return Task(work, ["check-bundle", "--zipimport", "--python", sys.executable, str(archive)])

    return make


def contexts(work: Path, size: int) -> Task:
    """Make Dockerfiles in directories of their own."""
    place = start(work, f"contexts-{size}")
    files = {
        "Dockerfile": "FROM scratch\nCOPY . .\n",
        ".dockerignore": "**/__pycache__\n**/*.py[co]\n",
        "m.py": "x = 1\n",
    }
    for n in range(size):
        (place / f"s{n}").mkdir()
        for name, content in files.items():
            (place / f"s{n}" / name).write_text(content, encoding="ascii")
    git(place, "add", ".")
    return Task(place, ["check-dockerignore"])


def large_file(*arguments: str) -> Maker:
    """Return a maker of bytecode of one module of many functions, and of another that differs."""

    def make(work: Path, size: int) -> Task:
        place = work / f"large{''.join(arguments)}-{size}"
        place.mkdir()
        text = "".join(f"def f{n}(a, b={n}):\n    return [a, b, 'text {n}']\n" for n in range(size))
        (place / "m.py").write_text(text, encoding="ascii")
        (place / "n.py").write_text(text.replace("text", "tixt"), encoding="ascii")
        compile_all(place, "-b")
        others = ["n.pyc"] if "--diff" in arguments else []
        return Task(place, ["inspect", *arguments, "m.pyc", *others])

    return make


#: The last size is that of the suite: ten times as much takes about a second.
DIMENSIONS = (
    *(
        Workload(f"forbid-bytecode --format {form}", 1000, "findings", findings(form), 300)
        for form in FORMATS
    ),
    Workload("forbid-bytecode (contents)", 100, "findings", contents, 200),
    Workload("forbid-bytecode (misplaced)", 100, "findings", misplaced, 100),
    Workload("forbid-bytecode (allow)", 100, "allow entries", allowances("m{n}.pyc"), 300),
    Workload("forbid-bytecode (globs)", 10, "allow entries", allowances("m{n}.py*"), 20),
    Workload(
        "check-gitignore (files)",
        50,
        "ignore files",
        ignore_files(OTHER_RULES, "check-gitignore"),
        100,
    ),
    Workload(
        "check-gitignore (findings)",
        50,
        "ignore files",
        ignore_files(REINCLUDING, "check-gitignore"),
        100,
    ),
    Workload(
        "fix --dry-run (findings)",
        10,
        "ignore files",
        ignore_files(REINCLUDING, "fix", "--dry-run"),
        20,
    ),
    Workload("doctor (files)", 50, "ignore files", ignore_files(OTHER_RULES, "doctor"), 100),
    Workload("check-dockerignore (contexts)", 5, "contexts", contexts, 10),
    Workload(
        "check-history --all (findings)",
        100,
        "findings",
        bytecode_commits("check-history", "--all"),
        300,
    ),
    Workload("ci (findings)", 100, "findings", bytecode_commits("ci", "--range", "HEAD"), 100),
    Workload("check-history --all (refs)", 20, "refs", refs("all"), 100),
    Workload("check-history RANGE…", 20, "ranges", refs("ranges"), 20),
    Workload("pre-push (refs)", 20, "refs", refs("pre-push"), 100),
    Workload("pre-receive (refs)", 20, "refs", refs("pre-receive"), 100),
    Workload("verify-bytecode (findings)", 30, "findings", other_code, 10),
    Workload(
        "verify-bytecode (directories)", 100, "directories", directories("verify-bytecode"), 200
    ),
    Workload("verify-bytecode --tracked", 30, "modules", tracked_caches, 20),
    Workload("inspect --strings", 100, "functions", large_file("--strings"), 100),
    Workload("inspect --code", 100, "functions", large_file("--code"), 100),
    Workload("inspect --leaks", 100, "functions", large_file("--leaks"), 50),
    Workload("inspect --diff", 100, "functions", large_file("--diff"), 100),
    Workload("lint (findings)", 30, "findings", lint_findings, 100),
    Workload("lint (directories)", 100, "directories", directories("lint", "."), 200),
    Workload("clean (directories)", 100, "directories", directories("clean"), 500),
    Workload("clean --orphans", 100, "orphans", orphans, 300),
    Workload("doctor (directories)", 100, "directories", directories("doctor"), 200),
    Workload("check-dist (findings)", 100, "findings", dist_findings, 100),
    Workload("check-bundle --zipimport", 30, "members", bundle_archive(".py*"), 20),
    Workload("check-bundle (findings)", 30, "members", bundle_archive(".py"), 20),
)
