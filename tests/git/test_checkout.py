from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pycache_guard.git.checkout import Attributes, Checkout, kinds_of, normalize_names
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.repo import Repo

NONE = b"unspecified"
RECODED = Attributes(b"unset", NONE, NONE, NONE, b"UTF-16LE", NONE)


def record(repo: Repo, data: str | bytes, path: str = ".gitattributes") -> bytes:
    return f"100644 {repo.blob(data)}\t{path}".encode()


@pytest.mark.parametrize(
    ("line", "recodes", "ends_lines", "filters", "identifies"),
    [
        ("", False, False, False, False),
        ("* text=auto", False, False, False, False),
        ("* -text\n*.png binary\n*.sh eol=lf", False, False, False, False),
        ("*.sh text eol=lf", False, False, False, False),
        ("*.sh eol=lf\ttext\r", False, False, False, False),
        ("*.bin filter=lfs diff=lfs merge=lfs -text", False, False, False, False),
        ("*.bin filter=lfsevil", False, False, True, False),
        ("*.py text", False, True, False, False),
        ("*.py crlf", False, True, False, False),
        ("*.py eol=crlf", False, True, False, False),
        ("*.sh eol=lf\n*.sh !eol", False, True, False, False),
        ("[attr]x text", False, True, False, False),
        ("*.tcl encoding=UTF-8 -identity", False, False, False, False),
        ("*.po filter=gettext-no-location", False, False, True, False),
        ("*.pl eof=lf diff=textual", False, False, False, False),
        ("*.ipynb filter=nbstripout", False, False, True, False),
        ("*.c ident", False, False, False, True),
        ("*.rc working-tree-encoding=UTF-16", True, False, False, False),
    ],
)
def test_kinds_are_read_from_words(
    repo: Repo, line: str, recodes: bool, ends_lines: bool, filters: bool, identifies: bool
) -> None:
    assert kinds_of([repo.blob(line)]) == (recodes, ends_lines, filters, identifies)


def test_attributes_are_shown_as_they_are_written() -> None:
    shown = Attributes(b"set", NONE, b"crlf", b"unset", b"UTF-16", b"x").describe()
    assert shown == "text eol=crlf working-tree-encoding=UTF-16 filter=x"


def test_normalize_names_prefers_the_exact_name() -> None:
    records = [b"100644 1 0\ta/.GitAttributes", b"100644 2 0\ta/.gitattributes"]
    assert normalize_names(records) == [b"100644 2 0\ta/.gitattributes"]
    assert normalize_names(records[:1]) == [b"100644 1 0\ta/.gitattributes"]
    stages = [b"100644 %d %d\t.gitattributes" % (n, n) for n in (1, 2, 3)]
    assert sorted(normalize_names(stages)) == stages


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 1_000_000])
def test_contents_of_any_size_are_read_as_written(repo: Repo, size: int) -> None:
    data = (b"\n" * size)[:size]
    with Checkout([record(repo, "* text eol=crlf\n")]) as checkout:
        found = checkout.attributes([b"x"])[b"x"]
        blobs = [(repo.blob(data), found), (repo.blob("end"), found)]
        for length in (10, size * 2 + 10):
            expected = [(b"\r\n" * size)[:length], b"end"[:length]]
            assert [*checkout.read_as_written(blobs, length, windows=False)] == expected


def test_temporary_repository_is_removed(
    repo: Repo,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fake_git_script: Callable[[str], None],
) -> None:
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", os.fspath(directory))
    attributes = record(repo, "* text\n")
    with Checkout([attributes]) as checkout:
        checkout.attributes([b"x"])
        assert [*directory.iterdir()] != []
    assert [*directory.iterdir()] == []
    fake_git_script(
        f'case " $* " in *" update-index "*) false ;; *) exec {shutil.which("git")} "$@" ;; esac'
    )
    with Checkout([attributes]) as checkout, pytest.raises(GitFailure):
        checkout.attributes([b"x"])
    assert [*directory.iterdir()] == []


ABOUT_ANOTHER = "".join(f"printf 'y\\0a{n}\\0set\\0';" for n in range(6))


@pytest.mark.parametrize("answer", ["printf 'x\\0text\\0set\\0'", ":", ABOUT_ANOTHER])
def test_malformed_answer_of_check_attr_is_a_failure(
    repo: Repo, fake_git_script: Callable[[str], None], answer: str
) -> None:
    attributes = record(repo, "* text\n")
    fake_git_script(
        f'case " $* " in *" check-attr "*) {answer} ;; *) exec {shutil.which("git")} "$@" ;; esac'
    )
    with Checkout([attributes]) as checkout, pytest.raises(GitFailure):
        checkout.attributes([b"x"])


def test_truncated_output_of_cat_file_is_a_failure(
    repo: Repo, fake_git_script: Callable[[str], None]
) -> None:
    attributes, blob = record(repo, "* text\n"), repo.blob("x")
    fake_git_script(
        f'case " $* " in *" --filters "*) read line; echo ;; *) exec {shutil.which("git")} "$@" ;; esac'
    )
    with Checkout([attributes]) as checkout, pytest.raises(GitFailure, match=r"truncated|ended"):
        [*checkout.read_as_written([(blob, RECODED)], 64, windows=False)]


def test_attributes_of_a_sha256_repository_are_read(
    make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("long", "--object-format=sha256")
    monkeypatch.chdir(repo.path)
    with Checkout([record(repo, "* -text working-tree-encoding=UTF-16LE\n")]) as checkout:
        found = checkout.attributes([b"x"])
        assert found == {b"x": RECODED}
        blobs = [(repo.blob("ab"), RECODED)]
        assert [*checkout.read_as_written(blobs, 64, windows=True)] == [b"a\0b\0"]
