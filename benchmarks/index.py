"""`forbid-bytecode` and `check-gitignore`: one file, a million entries, 200 000 sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import memory
from benchmarks.measure import compare, elapsed, figure
from benchmarks.repositories import modules, repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Figure

PEERS = ("pre-commit-hooks",)

RULES = "__pycache__/\n*.py[cod]\n"
TABLE = "[tool.pycache-guard]\nprobes = ['cache', 'legacy']\n"


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure what a hook costs, small and large."""
    yield from small(scripts, repository(work / "small", b"", {"a.txt": "a\n"}))
    ignoring = {"a.py": "a = 1\n", ".gitignore": RULES}
    yield compare(
        "check-gitignore, clean",
        [[str(scripts / "pycache-guard"), "check-gitignore"]],
        "check-added-large-files",
        [[str(scripts / "check-added-large-files"), "a.py"]],
        0.8,
        cwd=repository(work / "ignoring", b"", ignoring),
        rounds=40,
    )
    configured = {"a.txt": "a\n", "pyproject.toml": TABLE}
    yield table(scripts, repository(work / "configured", b"", configured))
    yield from million(scripts, repository(work / "million", modules(1000, 1000), {"a.txt": "a\n"}))
    (work / "probes").write_bytes(probes(2000, 100))
    raw = [["sh", "-c", f"git check-ignore --no-index --stdin -z < '{work / 'probes'}'"]]
    what = "check-gitignore, 200 000 sources"
    for name, figure_name, rules, bar in (
        ("sources", what, RULES, 1.3),
        # A line that may re-include some names: each module is asked about.
        ("named", f"{what}, a line about names", f"{RULES}!keep*\n", float("inf")),
    ):
        yield compare(
            figure_name,
            [[str(scripts / "pycache-guard"), "check-gitignore"]],
            "git check-ignore, 2 probes each",
            raw,
            bar,
            cwd=repository(work / name, modules(2000, 100), {".gitignore": rules}),
            rounds=5,
        )


def small(scripts: Path, where: Path) -> Iterator[Figure]:
    """Measure a run that finds nothing, in a repository with next to nothing."""
    clean = [[str(scripts / "pycache-guard"), "forbid-bytecode"]]
    official = [[str(scripts / "end-of-file-fixer"), "a.txt"]]
    bare = [[str(scripts / "python"), "-I", "-c", "pass"], ["git", "ls-files"]]
    peers = (
        ("end-of-file-fixer", official, 0.7),
        ("bare interpreter + git ls-files", bare, 1.15),
    )
    for peer, theirs, bar in peers:
        what = "forbid-bytecode, clean"
        yield compare(what, clean, peer, theirs, bar, cwd=where, rounds=60)


def table(scripts: Path, where: Path) -> Figure:
    """Measure a run with a table of ours: it may cost, besides, what the TOML parser costs.

    The parser's price is what importing it adds to a bare interpreter.
    """
    guard, python = str(scripts / "pycache-guard"), str(scripts / "python")
    pairs = []
    for _ in range(40):
        ours = elapsed([[guard, "forbid-bytecode"]], where)
        without = elapsed([[guard, "forbid-bytecode"]], where.parent / "small")
        parser = elapsed([[python, "-I", "-c", PARSER]], where)
        start = elapsed([[python, "-I", "-c", "pass"]], where)
        pairs.append((ours, without + parser - start))
    return figure(
        "forbid-bytecode, with a table of ours",
        "without, + importing the TOML parser",
        pairs,
        float("inf"),
    )


PARSER = """
try:
    import tomllib
except ImportError:
    import tomli
"""


def million(scripts: Path, where: Path) -> Iterator[Figure]:
    """Measure a million entries: time, and peak memory."""
    what = "forbid-bytecode, 1 000 000 entries"
    clean = [str(scripts / "pycache-guard"), "forbid-bytecode"]
    cat = ["sh", "-c", "git ls-files -s -z | cat"]
    # With the default options what is new is compared with HEAD: so does the peer.
    both = ["sh", "-c", "git ls-files -s -z | cat & git diff-index --cached HEAD & wait"]
    peer = "git ls-files -s -z | cat, git diff-index HEAD"
    yield compare(what, [clean], peer, [both], 1.15, cwd=where, rounds=9)
    no_limit = float("inf")
    pairs = [(memory.run(clean, where).largest, memory.run(cat, where).largest) for _ in range(3)]
    yield figure(f"{what}, memory", "git ls-files -s -z, its memory", pairs, no_limit, "MB")
    own = memory.alone(scripts / "python", clean[1:], where, where.parent)
    least = memory.alone(scripts / "python", clean[1:], where.parent / "small", where.parent)
    yield figure(
        "forbid-bytecode, 1 000 000, our own memory", "1 entry", [(own, least)], no_limit, "MB"
    )


def probes(directories: int, files: int) -> bytes:
    """Return two probes for each module of `modules`."""
    return b"".join(
        b"src/component_%04d/%s%04d%s\0" % (d, start, f, end)
        for d in range(directories)
        for f in range(files)
        for start, end in ((b"__pycache__/module_", b".cpython-313.pyc"), (b"module_", b".pyc"))
    )
