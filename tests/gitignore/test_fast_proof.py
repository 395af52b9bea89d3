"""The proof with few probes says nothing that asking about every module does not say."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from identify import identify

from helpers.git_version import needs_any_git
from helpers.repo import Repo
from helpers.report_parser import CLEAN
from pycache_guard.bytecode.probes import SUFFIXES, ProbeChoice
from pycache_guard.errors import Failure
from pycache_guard.git.check_ignore import IsolatedIgnoreRules
from pycache_guard.git.index import Index
from pycache_guard.gitignore.fast_proof import (
    OTHER_EXTENSIONS,
    PYTHON_EXTENSIONS,
    PYTHON_NAMES,
    fits_every_name,
    may_reinclude_a_name,
    prove_ignored,
    read_if_identical,
)
from pycache_guard.gitignore.fix import find_gaps
from pycache_guard.gitignore.proof import _probe, find_unignored

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls, Run
    from pycache_guard.gitignore.fast_proof import FastProof

U = b"module_that_nobody_has"
MODULES = {
    b"": [b"a", b"xpyc"],
    b"pkg": [b"__init__", b"m", U + b"2"],
    b"pkg/sub": [b"x.y", b"a.pyc"],
    b":(top)odd": [b"-m", b"*", b"[a]"],
}
EVERYWHERE = {
    **{d: [U, *n] for d, n in MODULES.items()},
    b"directory_that_nobody_has": [U],
}
LEGACY = b".pyc"
PLAIN, OPT, CUT = (
    b".cpython-313.pyc",
    b".cpython-313.opt-1.pyc",
    b".cpython-313.pyc.140162621172480",
)

#: A pattern that matched the invented module, what follows its name, and whether every name matches.
FITS = [
    (b"*.pyc", LEGACY, True),
    (b"*.py[cod]", PLAIN, True),
    (b"*.py[oc]", OPT, True),
    (b"**/*.py?", LEGACY, True),
    (b"pkg/*.pyc", PLAIN, True),
    (b"*", CUT, True),
    (b"pkg/**", CUT, True),
    (b"*.pyc*", CUT, True),
    (b"*.pyc.*", CUT, True),
    (b"*.*", PLAIN, True),
    (b"*c", LEGACY, True),
    (b"*?", LEGACY, True),
    (b"*s.pyc", LEGACY, False),
    (b"*_has.pyc", LEGACY, False),
    (b"*?.pyc", LEGACY, False),
    (b"*[a-z].pyc", LEGACY, False),
    (b"*.py[!x]", LEGACY, False),
    (b"*.py[[:alpha:]]", LEGACY, False),
    (b"*.p[y]c", LEGACY, True),
    (b"*[s].pyc", LEGACY, False),
    (b"*.[p][y]c", LEGACY, False),
    (b"*nobody*", LEGACY, False),
    (b"*_*.pyc", LEGACY, False),
    (b"**.pyc", LEGACY, False),
    (b"module*", LEGACY, False),
    (b"[m]*.pyc", LEGACY, False),
    (b"?*.pyc", LEGACY, False),
    (b"*\\.pyc", LEGACY, False),
    (b"\\*.pyc", LEGACY, False),
    (b"module_that_nobody_has.pyc", LEGACY, False),
]


@pytest.mark.parametrize(("pattern", "suffix", "expected"), FITS, ids=repr)
def test_fits_every_name_table(pattern: bytes, suffix: bytes, expected: bool) -> None:
    assert fits_every_name(pattern, suffix) is expected


#: The content of an ignore file, and whether it may re-include the bytecode of some module.
REINCLUDES = [
    (b"", False),
    (b"__pycache__/\n*.py[co]\n", False),
    (b"*.pyc\n!.gitkeep\n!docs/\n!/lib/*.md\n!*.example\n!**/keep.txt\n", False),
    (b"!keep/*/\n", False),
    (b"#!a.pyc\n \\!a.pyc\n !a.pyc\n", False),
    (b"!a.pyc", True),
    (b"!*", True),
    (b"!docs/**", True),
    (b"!a.*\n", True),
    (b"!*c\n", True),
    (b"!*.P[yx]C\n", True),
    (b"!A.PYC\r\n", True),
    (b"!a.pyc  \t\n", True),
    (b"!a.md\\ \n", True),
    (b"!a.p\\yc\n", True),
    (b"!*.md\0\n", True),
    (b"!*\0.md\n", True),
    (b"\xef\xbb\xbf!a.pyc\n", True),
    (b"x\n!*.nbi\n", True),
    (b"!*0\n", True),
    (b"!m?\n", True),
    (b"!pkg/[a/*.md\n", False),
    (b"![a/b]\n", True),
    (b"!!a.pyc\n", True),
]


@pytest.mark.parametrize(("content", "expected"), REINCLUDES, ids=repr)
def test_may_reinclude_a_name_table(content: bytes, expected: bool) -> None:
    assert may_reinclude_a_name(content) is expected


PIECE = st.sampled_from(
    [
        b"*",
        b"**",
        b"?",
        b"a",
        b"m",
        b"x",
        b"_",
        b".",
        b"py",
        b"pyc",
        b"[cod]",
        b"[!a]",
        b"[a-m]",
        b"/",
        b".pyc",
        b".cpython-313",
        b".opt-1",
        b".*",
        b"pkg",
        b"sub",
        b"pkg/",
        b"**/",
        b"*.pyc",
        b"*.py?",
        b"__pycache__",
        b"__pycache__/",
        U,
        b"\\",
        b"\\*",
        b"[",
        b"]",
        b" ",
        b"\x00",
        b"\r",
        b"1",
        b"-m",
    ]
)
LINE = st.tuples(
    st.sampled_from([b"", b"", b"!", b"!", b"\\!", b"\xef\xbb\xbf", b"#", b"/"]),
    st.lists(PIECE, min_size=1, max_size=5).map(b"".join),
).map(b"".join)
WIDE = st.sampled_from(
    [b"*.pyc", b"*.py[cod]", b"__pycache__/", b"*", b"*.py?", b"*.py*", b"__pycache__/*", b"pkg/**"]
)
FILES = st.fixed_dictionaries(
    {b".gitignore": st.lists(st.one_of(WIDE, LINE), max_size=6)},
    optional={
        b"pkg/.gitignore": st.lists(st.one_of(WIDE, LINE), max_size=4),
        b"pkg/sub/__pycache__/.gitignore": st.lists(LINE, max_size=3),
        b"pkg/sub/" + U + b".pyc/.gitignore": st.lists(LINE, max_size=1),
        b"__pycache__/" + U + b".cpython-313.pyc/.gitignore": st.lists(LINE, max_size=1),
    },
)


@needs_any_git
@settings(max_examples=60)
@given(FILES)
@example({b".gitignore": [b"*.pyc", b"!a.*"]})
@example({b".gitignore": [b"*.pyc", b"!a.pyc*"]})
@example({b".gitignore": [b"*.pyc"], b"pkg/sub/__pycache__/.gitignore": [b"!x.*"]})
@example({b".gitignore": [b"*.pyc", b"\xef\xbb\xbf!m.pyc"], b"pkg/.gitignore": [b"!m.pyc"]})
@example({b".gitignore": [b"*.pyc", b"!*\0.md"]})
@example({b".gitignore": [b"*.pyc/"], b"pkg/sub/" + U + b".pyc/.gitignore": []})
@example({b".gitignore": [b"*.pyc/"], b"__pycache__/" + U + b".cpython-313.pyc/.gitignore": []})
@example({b".gitignore": [b"*_*"]})
@example({b".gitignore": [b"*.pyc", b"!*\\.pyc"]})
def test_few_probes_find_what_every_probe_finds(files: dict[bytes, list[bytes]]) -> None:
    rules = {path: b"".join(line + b"\n" for line in lines) for path, lines in files.items()}
    with IsolatedIgnoreRules(rules) as ignoring:
        everything = [gap for kind in SUFFIXES for gap in _probe(ignoring, kind, EVERYWHERE)]
    assert sorted(find_unignored(MODULES, rules, SUFFIXES)) == sorted(everything)


def prove(choose: Callable[[], ProbeChoice] = ProbeChoice) -> FastProof | None:
    """Prove for the repository here."""
    index = Index()
    return prove_ignored(index, index.list_entries(), choose)


def stage(repo: Repo, rules: dict[bytes, bytes]) -> None:
    """Stage sources and ignore files."""
    for directory, names in MODULES.items():
        for name in names:
            repo.stage(os.fsdecode(directory + b"/" + name if directory else name) + ".py")
    for path, content in rules.items():
        repo.stage(os.fsdecode(path), content)


CHOICES = [
    ProbeChoice(),
    ProbeChoice(("cache",), ()),
    ProbeChoice(("legacy", "cache"), ("temporary", "python2")),
]


@needs_any_git
@settings(max_examples=15)
@given(FILES, st.sampled_from(CHOICES))
def test_proof_agrees_with_the_search_for_gaps(
    files: dict[bytes, list[bytes]], probes: ProbeChoice
) -> None:
    assert_agreement(files, probes)


#: The lines of ignore files, the probes, and whether few of them are enough for a proof.
AGREEMENTS = [
    ({b".gitignore": [b"__pycache__/"]}, CHOICES[0], True),
    ({b".gitignore": [b"*.py[cod]"]}, CHOICES[0], True),
    ({b".gitignore": [b"__pycache__/", b"*.pyc", b"!a.pyc"]}, CHOICES[0], False),
    ({b".gitignore": [b"*.pyc"], b"pkg/.gitignore": [b"!m.*"]}, CHOICES[0], False),
    ({b".gitignore": [b"*.pyc", b"*.pyo", b"__pycache__"]}, CHOICES[2], True),
    # An advised probe that some names may escape.
    ({b".gitignore": [b"__pycache__/", b"*_has.pyc", b"*.pyc.*"]}, CHOICES[0], False),
    ({b".gitignore": [b"__pycache__/", b"*_has.pyc", b"*.pyc.*"]}, CHOICES[1], True),
]


@needs_any_git
@pytest.mark.parametrize(("files", "probes", "expected"), AGREEMENTS, ids=range(len(AGREEMENTS)))
def test_proof_agrees_with_the_search_for_gaps_table(
    files: dict[bytes, list[bytes]], probes: ProbeChoice, expected: bool
) -> None:
    assert assert_agreement(files, probes) is expected


def assert_agreement(files: dict[bytes, list[bytes]], probes: ProbeChoice) -> bool:
    """Compare a proof with the search for gaps; return whether there is one."""
    rules = {path: b"".join(line + b"\n" for line in lines) for path, lines in files.items()}
    with TemporaryDirectory() as directory:
        repo = Repo.init(Path(directory) / "repo")
        stage(repo, rules)
        before = Path.cwd()
        os.chdir(repo.path)
        try:
            proof = prove(lambda: probes)
        finally:
            os.chdir(before)
    gaps = {gap.kind for gap in find_unignored(MODULES, rules, SUFFIXES)}
    if proof is not None:
        assert gaps.isdisjoint(probes.required)
        assert gaps.intersection(probes.advised) == {*proof.advised}
        assert proof.directories == len(EVERYWHERE)
    return proof is not None


#: Tracked files, with their modes, of which none has a name that ends with `.py`; whether git must
#: read one to know the directories, and how many directories have Python.
SCRIPTS = [
    ({"bin/run": ("100755", "#!/usr/bin/env python3\n")}, True, 1),
    ({"bin/run": ("100755", "#!/bin/sh\n")}, True, 0),
    ({"bin/run": ("100644", "#!/usr/bin/env python3\n")}, False, 0),
    ({"bin/run.sh": ("100755", "#!/usr/bin/env python3\n")}, False, 0),
    ({"bin/run": ("100755", "#!/usr/bin/env python3\n"), "bin/a.py": ("100644", "")}, False, 1),
    ({"web/app.WSGI": ("100644", "")}, False, 1),
    (
        {
            "build/wscript": ("100644", ""),
            "c/wscript.x": ("100644", ""),
            "d/.pdbrc": ("100644", ""),
        },
        False,
        3,
    ),
    ({"a/awscript.md": ("100644", "")}, False, 0),
    ({"a/m.py": ("120000", "target")}, False, 1),
]


@pytest.mark.parametrize(("files", "is_read", "expected"), SCRIPTS, ids=range(len(SCRIPTS)))
def test_directories_of_scripts_are_counted_as_identify_counts_them(
    repo: Repo,
    git_calls: GitCalls,
    files: dict[str, tuple[str, str]],
    is_read: bool,
    expected: int,
) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    for path, (mode, content) in files.items():
        repo.stage(path, content, mode=mode)
    git_calls.reset()
    proof = prove()
    assert proof is not None
    assert proof.directories == 2 + expected
    assert ("cat-file" in git_calls.verbs()) is is_read
    assert find_gaps(Index(), ProbeChoice()).directories == proof.directories


@pytest.mark.parametrize("extension", sorted(OTHER_EXTENSIONS))
def test_other_extensions_are_known_to_identify_and_not_python(extension: bytes) -> None:
    tags = identify.tags_from_filename("x." + extension.decode())
    assert tags
    assert "python" not in tags


def test_python_names_are_those_of_identify() -> None:
    """What identify takes for Python by its name is never left out."""
    from identify import extensions

    assert {
        n.encode() for n, t in extensions.EXTENSIONS.items() if "python" in t
    } == PYTHON_EXTENSIONS
    assert {n.encode() for n, t in extensions.NAMES.items() if "python" in t} == {*PYTHON_NAMES}


def test_file_that_differs_from_the_index_is_read_from_git(repo: Repo, run: Run) -> None:
    """The disk may say what it likes."""
    repo.add(".gitignore", "*.log\n")
    repo.add("a.py")
    repo.write(".gitignore", "__pycache__/\n*.py[co]\n")
    assert run("check-gitignore").code == 1
    repo.git("add", ".gitignore")
    repo.write(".gitignore", "*.log\n")
    assert run("check-gitignore") == CLEAN
    (repo.path / ".gitignore").unlink()
    assert run("check-gitignore") == CLEAN
    repo.stage(".gitattributes", "target", mode="120000")
    repo.stage("sub/.gitignore", "target", mode="120000")
    assert run("check-gitignore") == CLEAN
    os.mkfifo(repo.path / ".gitignore")
    assert run("check-gitignore") == CLEAN


def test_read_if_identical_returns_only_the_content_of_that_blob(repo: Repo) -> None:
    blob = repo.stage("x", "text\n")
    path = os.fspath(repo.path / "file")
    assert read_if_identical(path, blob) is None
    for content, expected in ((b"text\n", b"text\n"), (b"text", None), (b"x" * 100_000, None)):
        (repo.path / "file").write_bytes(content)
        assert read_if_identical(path, blob) == expected
    assert read_if_identical(os.fspath(repo.path), blob) is None


def test_many_ignore_files_are_read_by_one_process(
    repo: Repo, run: Run, git_calls: GitCalls
) -> None:
    for number in range(40):
        repo.add(f"{number}/.gitignore", f"/{number}\n")
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    git_calls.reset()
    assert run("check-gitignore") == CLEAN
    assert sorted(git_calls.verbs()) == ["cat-file", "check-ignore", "ls-files"]


def test_ignore_file_that_a_checkout_recodes_is_no_proof(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    assert prove() is not None
    repo.stage(".gitattributes", ".gitignore working-tree-encoding=UTF-16\n")
    assert prove() is None
    assert run("check-gitignore").code == 1


def test_more_questions_than_a_pipe_holds_go_through_a_file(repo: Repo) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.stage_all(f"{'long' * 20}{number}/m.py" for number in range(300))
    proof = prove()
    assert proof is not None
    assert proof.directories == 302


def test_configuration_that_is_missing_on_disk_is_read_from_the_index(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n")
    repo.add("pyproject.toml", "[tool.pycache-guard]\nprobes = ['legacy']\n")
    assert run("check-gitignore").code == 1
    (repo.path / "pyproject.toml").unlink()
    assert run("check-gitignore").code == 1
    repo.git("rm", "-q", "--cached", "pyproject.toml")
    assert run("check-gitignore").code == 0


def test_configuration_that_cannot_be_read_leaves_no_process_and_no_file(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", os.fspath(place))
    repo.add("a.py")

    def fail() -> ProbeChoice:
        assert len([*place.iterdir()]) == 1
        raise Failure("no")

    with pytest.raises(Failure, match="no"):
        prove(fail)
    assert [*place.iterdir()] == []
