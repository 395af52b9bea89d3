"""The proof against git itself: bytecode is laid down in a clone, and `git status` judges."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.fresh_clone import FreshClone
from helpers.git_version import needs_any_git
from helpers.repo import Repo
from helpers.report_parser import CLEAN, EVERY_PROBE
from pycache_guard.bytecode.probes import SUFFIXES, UNTRACKED_DIR, UNTRACKED_MODULE, probe_paths
from pycache_guard.git.check_ignore import IsolatedIgnoreRules
from pycache_guard.gitignore import proof
from pycache_guard.gitignore.fast_proof import matches_directory
from pycache_guard.gitignore.proof import _probe, find_unignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Run
    from pycache_guard.git.check_ignore import MatchedRule

#: Modules by directory, as they are tracked.
MODULES = {
    b"": [b"a"],
    b"pkg": [b"__init__", b"m"],
    b"pkg/sub": [b"x.y"],
    b"tests/core/unit": [b"test_a"],
    b":(top)odd": [b"-m", b"*"],
}
EVERYWHERE = {
    **{d: [UNTRACKED_MODULE, *n] for d, n in MODULES.items()},
    UNTRACKED_DIR: [UNTRACKED_MODULE],
}
LAID = [
    probe
    for directory, names in EVERYWHERE.items()
    for name in names
    for kind in SUFFIXES
    for probe in probe_paths(kind, directory, name)
]

START = st.sampled_from([b""] * 4 + [b"!"] * 3 + [b"/", b"!/", b" ", b"\\!", b"#", b"./"])
ABOVE = st.sampled_from(
    [b""] * 4
    + [b"**/"] * 2
    + [
        b"pkg/",
        b"pkg/sub/",
        b"*/",
        b"p?g/",
        b"pkg/**/",
        b"tests/",
        b"tests/**/",
        b"[!p]*/",
        UNTRACKED_DIR + b"/",
    ]
)
NAME = st.sampled_from(
    [b"__pycache__"] * 6
    + [b"*.pyc", b"*.py[co]", b"*.pyo", b"*.py?", b"*.pyc.*", b"*.pyc*"]
    + [b"*", b"**", b"*.*", b"a.*", b"m.pyc", b"m.cpython-313.pyc", b"[_]*", b"__pycache__/*"]
    + [b"__pycache__/**", b"__pycache__/m.*", b"pkg", b"sub", b"core", b"tests", b"[!_]*", b"-m*"]
)
END = st.sampled_from(
    [b""] * 4 + [b"/"] * 4 + [b" ", b"\t", b"\r", b"\\ ", b"/**", b"/*", b"/ # c"]
)
LINES = st.lists(st.tuples(START, ABOVE, NAME, END).map(b"".join), max_size=6)
FILES = st.fixed_dictionaries(
    {b".gitignore": LINES},
    optional={
        b"pkg/.gitignore": LINES,
        b"pkg/sub/.gitignore": LINES,
        b"tests/core/.gitignore": LINES,
        b"pkg/__pycache__/.gitignore": LINES,
    },
)
GOOD = [b"__pycache__/", b"*.py[co]"]


def stage(repo: Repo, rules: dict[bytes, bytes]) -> None:
    """Stage sources and ignore files."""
    modules = [
        (directory + b"/" + name if directory else name).decode() + ".py"
        for directory, names in MODULES.items()
        for name in names
    ]
    ignore_files = {path.decode(): content for path, content in rules.items()}
    repo.stage_files({**dict.fromkeys(modules, b""), **ignore_files})


@settings(max_examples=60)
@given(FILES, st.sampled_from([b"\n", b"\r\n"]))
@example({b".gitignore": GOOD}, b"\n")
@example({b".gitignore": [*GOOD, b"!pkg/**"]}, b"\n")
@example({b".gitignore": [*GOOD, b"!tests/core/**/*"]}, b"\n")
@example({b".gitignore": [*GOOD, b"!*.pyc"]}, b"\n")
@example({b".gitignore": GOOD, b"pkg/.gitignore": [b"!__pycache__/"]}, b"\n")
@example({b".gitignore": [b"*"], b"pkg/.gitignore": [b"!*"]}, b"\n")
@example({b".gitignore": [b"pkg/"], b"pkg/.gitignore": [b"!*"]}, b"\n")
@example({b".gitignore": [b"*", b"!*/", b"!*.py"]}, b"\n")
@example({b".gitignore": [b"__pycache__/*", b"!__pycache__/m.*"]}, b"\n")
@example({b".gitignore": GOOD, b"pkg/__pycache__/.gitignore": [b"!*"]}, b"\n")
def test_find_unignored_agrees_with_git_status_in_a_clone(
    files: dict[bytes, list[bytes]], end: bytes
) -> None:
    rules = {path: b"".join(line + end for line in lines) for path, lines in files.items()}
    with TemporaryDirectory() as directory:
        repo = Repo.init(Path(directory) / "repo")
        stage(repo, rules)
        clone = FreshClone(repo, Path(directory) / "clone")
        clone.create(LAID)
        seen = clone.untracked()
    assert {gap.probe for gap in find_unignored(MODULES, rules, SUFFIXES)} == seen


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (b"__pycache__/", True),
        (b"__pycache__", True),
        (b"**/__pycache__", True),
        (b"build/", True),
        (b"!__pycache__/", False),
        (b"__pycache__/*", False),
        (b"*pycache__", False),
        (b"*.pyc", False),
        (b"", False),
    ],
)
def test_matches_directory_table(pattern: bytes, expected: bool) -> None:
    assert matches_directory(pattern) is expected


@needs_any_git
@settings(max_examples=60)
@given(FILES)
@example({b".gitignore": [b"__pycache__"], b"pkg/.gitignore": [b"!__pycache__/", b"!*"]})
@example({b".gitignore": [b"/__pycache__/"], b"pkg/sub/.gitignore": [b"__pycache__"]})
def test_skipping_ignored_caches_changes_no_answer(files: dict[bytes, list[bytes]]) -> None:
    rules = {path: b"".join(line + b"\n" for line in lines) for path, lines in files.items()}
    with IsolatedIgnoreRules(rules) as ignoring:
        everything = [gap for kind in SUFFIXES for gap in _probe(ignoring, kind, EVERYWHERE)]
    assert sorted(find_unignored(MODULES, rules, SUFFIXES)) == sorted(everything)


@needs_any_git
def test_find_unignored_names_the_rule_that_decides() -> None:
    found = find_unignored(
        {b"pkg": [b"m"]}, {b".gitignore": b"__pycache__\n*.py[co]\n!m.pyo\n"}, SUFFIXES
    )
    assert found == [("python2", b"pkg", b"pkg/m.pyo", b".gitignore", b"3", b"!m.pyo")]


@needs_any_git
@pytest.mark.parametrize("size", [1, 4, 7, 1000])
def test_find_unignored_asks_in_batches(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are answered, in order, and no more than a batch is held at a time."""
    batches: list[int] = []
    rules = IsolatedIgnoreRules.rules

    def counted(self: IsolatedIgnoreRules, paths: Sequence[bytes]) -> list[MatchedRule]:
        batches.append(len(paths))
        return rules(self, paths)

    with IsolatedIgnoreRules({b".gitignore": b"*.pyc\n"}) as ignoring:
        whole = _probe(ignoring, "python2", EVERYWHERE)
        monkeypatch.setattr("pycache_guard.gitignore.proof.BATCH_PROBES", size)
        monkeypatch.setattr(IsolatedIgnoreRules, "rules", counted)
        assert _probe(ignoring, "python2", EVERYWHERE) == whole
    assert [gap.probe for gap in whole] == [probe for probe in LAID if probe.endswith(b".pyo")]
    assert max(batches) <= size
    assert sum(batches) == len(whole)


@needs_any_git
@pytest.mark.parametrize("kinds", [["cache"], ["legacy"], ["cache", "legacy"], []])
def test_find_unignored_checks_only_the_given_kinds(kinds: list[str]) -> None:
    found = find_unignored({}, {}, kinds)
    assert {gap.kind for gap in found} == set(kinds)
    assert {gap.directory for gap in found} <= {b"", UNTRACKED_DIR}
    assert len(found) == sum(2 * len(SUFFIXES[kind]) for kind in kinds)


SOURCES = {"a.py": "x = 1\n", "pkg/__init__.py": "", "pkg/m.py": "y = 2\n", "a b/c.d.py": "z = 3\n"}

#: Each with what a clone shows of the cache, and of legacy bytecode.
RULES = [
    ({}, True, True),
    ({".gitignore": "__pycache__/\n*.py[co]\n"}, False, False),
    ({".gitignore": "__pycache__\n*.py[cod]\n"}, False, False),
    ({".gitignore": "\ufeff__pycache__/\r\n*.py[co]  \r\n"}, False, False),
    ({".gitignore": "__pycache__/"}, False, True),
    ({".gitignore": "*.py[co]"}, True, False),  # the leftover of a killed interpreter
    ({".gitignore": "*.py[co]*\n*.nb[ci]\n"}, False, False),
    ({".gitignore": "*.py?\n*.pyc.*\n*.nb?\n"}, False, False),
    ({".gitignore": "*\n"}, False, False),
    ({".gitignore": "*\n!*/\n!*.py\n"}, False, False),
    ({".gitignore": ".pyc\n__pycache__/ # comment\n __pycache__/\n__pycache__/\t\n"}, True, True),
    ({".gitignore": "\"__pycache__/\"\n'*.pyc'\n./__pycache__/\n./*.py[co]\n"}, True, True),
    ({".gitignore": "__pycache__\\\n*.py\\[co]\n*.pyc/\n__pycache__\\ \n"}, True, True),
    ({".gitignore": "# __pycache__/\n\n   \n"}, True, True),
    ({".gitignore": "/__pycache__/\n/*.py[co]\n"}, True, True),
    ({".gitignore": "**/__pycache__/**\n**/*.py[co]\n"}, False, False),
    ({".gitignore": "__pycache__/\n*.py[co]\n!*.pyc\n"}, False, True),
    ({".gitignore": "__pycache__/\n*.py[co]\n!pkg/**\n"}, True, True),
    ({".gitignore": "__pycache__/\n*.py[co]\n!pkg/**/*\n"}, True, True),
    ({".gitignore": "__pycache__/\n*.py[co]\n!a.pyc\n"}, False, True),
    ({".gitignore": "!pkg/**\n__pycache__/\n*.py[co]\n"}, False, False),
    ({".gitignore": "__pycache__/\n*.py[co]\n", "pkg/.gitignore": "!*\n"}, True, True),
    ({".gitignore": "__pycache__/\n*.py[co]\n", "pkg/.gitignore": "!*.pyo\n"}, False, True),
    ({"pkg/.gitignore": "__pycache__/\n*.py[co]\n"}, True, True),
    ({".gitignore": "__pycache__/\n*.py[co]\n\n!/a b/c.d.pyc\n"}, False, True),
    ({".gitignore": "__PYCACHE__/\n*.PY[CO]\n"}, True, True),
]


@pytest.mark.parametrize(("rules", "cache", "legacy"), RULES, ids=itertools.count())
def test_find_unignored_agrees_with_what_python_writes(
    rules: dict[str, str], cache: bool, legacy: bool, repo: Repo, tmp_path: Path, run: Run
) -> None:
    """Python compiles in the clone, old modules and new ones; the answer is git's."""
    repo.add_files({**SOURCES, **rules})
    repo.commit()
    clone = FreshClone(repo, tmp_path / "clone")
    new = ["new.py", "pkg/new.py", "a b/new.py", "newly/made/new.py"]
    for source in new:
        clone.write(source)
    for source in [*SOURCES, *new]:
        clone.compile(source)
    assert bool(clone.untracked()) is cache
    assert run("check-gitignore", *EVERY_PROBE[:4]).code == cache
    clone.clean()
    for source in [*SOURCES, *new]:
        clone.compile_legacy(source)
    assert bool(clone.untracked()) is legacy
    assert run("check-gitignore", *EVERY_PROBE[4:]).code == legacy
    assert run("check-gitignore", *EVERY_PROBE).code == (cache or legacy)
    if not cache and not legacy:
        assert run("check-gitignore", "--fix") == CLEAN
        assert repo.git("status", "--porcelain") == ""


def test_only_so_many_lines_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MAX_SUSPECTS", 2)
    found = proof.find_ineffective_lines({b".gitignore": b"*.PYC\n*.pyc\n*.PYO\n*.PYD\n*.PYC\n"})
    assert [line.number for line in found] == [1, 3]
