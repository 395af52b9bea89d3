"""H3 of the audit: `verify-bytecode --tracked` and files that git changes at checkout."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import (
    INNOCENT,
    cache_path,
    compile_source,
    foreign_pyc,
    hash_pyc,
    timestamp_pyc,
)

if TYPE_CHECKING:
    from conftest import Run
    from helpers.repo import Repo

SOURCE = INNOCENT.encode()
HONEST = hash_pyc(compile_source(SOURCE), SOURCE, checked=True)
#: An honest file with a line end that git can change, and one that holds an identifier.
WITH_LINE = hash_pyc(compile_source("x = '\\n\\n'\n"), b"x = '\\n\\n'\n", checked=True)
WITH_ID = hash_pyc(compile_source("x = '$Id$'\n"), b"x = '$Id$'\n", checked=True)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1\n".format("0" * 64)


def found(run: Run, *argv: str) -> list[str]:
    """Return code and message of each finding of `verify-bytecode --tracked`."""
    code, out, err = run("verify-bytecode", "--tracked", "--format", "json", *argv)
    assert err == ""
    findings = json.loads(out)["findings"]
    assert code == (1 if findings else 0)
    return [f"{item['code']} {item['message']}" for item in findings]


def tracked(repo: Repo, attributes: str, source: str | bytes, data: str | bytes) -> None:
    repo.stage(".gitattributes", attributes + "\n")
    repo.stage("m.py", source)
    repo.stage(cache_path(), data)


CHANGED = [
    ("*.pyc text eol=crlf", "x = '\\n\\n'\n", WITH_LINE, "text eol=crlf"),
    ("*.pyc eol=crlf", "x = '\\n\\n'\n", WITH_LINE, "eol=crlf"),
    ("*.pyc text", "x = '\\n\\n'\n", WITH_LINE, "text"),  # under Windows
    ("__pycache__/** crlf", "x = '\\n\\n'\n", WITH_LINE, "crlf"),
    (
        "*.pyc -text working-tree-encoding=UTF-16LE",
        INNOCENT,
        "text",
        "working-tree-encoding=UTF-16LE",
    ),
    ("*.pyc ident", "x = '$Id$'\n", WITH_ID, "ident"),
    ("*.py ident", "x = '$Id$'\n", WITH_ID, "ident"),
    ("*.pyc filter=evil", INNOCENT, HONEST, "filter=evil"),
    ("*.py filter=evil", INNOCENT, HONEST, "filter=evil"),
    ("*.py text eol=crlf", INNOCENT, HONEST, "text eol=crlf"),
    ("*.py working-tree-encoding=UTF-16", INNOCENT, HONEST, "working-tree-encoding=UTF-16"),
    ("*.pyc filter=lfs -text", INNOCENT, POINTER, "a Git LFS pointer"),
    ("*.py filter=lfs -text", POINTER, HONEST, "a Git LFS pointer"),
    ("", INNOCENT, POINTER, "a Git LFS pointer"),
]


@pytest.mark.parametrize(("attributes", "source", "data", "words"), CHANGED)
def test_file_that_git_changes_at_checkout_is_unverifiable(
    repo: Repo, run: Run, attributes: str, source: str, data: str | bytes, words: str
) -> None:
    tracked(repo, attributes, source, data)
    (finding,) = found(run)
    assert finding.startswith("PYC205 cannot be compared")
    assert words in finding
    repo.commit()
    assert found(run) == [finding]
    assert run("verify-bytecode", "--tracked", "--allow-unverifiable")[0] == 0


UNCHANGED = [
    "* text=auto",
    "* text=auto eol=lf",
    "*.pyc binary",
    "*.pyc -text",
    "*.py text",
    "*.py text eol=lf",
    "*.pyc text eol=lf",
    "*.sh text eol=crlf",
    "*.pyc diff=pyc merge=ours export-ignore",
    "*.bin filter=lfs diff=lfs merge=lfs -text",
    "*.ipynb filter=nbstripout",
    "*.c ident",
]


@pytest.mark.parametrize("attributes", UNCHANGED)
@pytest.mark.parametrize(
    ("source", "data"),
    [(INNOCENT, HONEST), ("x = '\\n\\n'\n", WITH_LINE), ("x = '$Id$'\n", WITH_ID)],
)
def test_attributes_of_real_repositories_have_no_findings(
    repo: Repo, run: Run, attributes: str, source: str, data: bytes
) -> None:
    tracked(repo, attributes, source, data)
    assert found(run) == []


def test_attributes_that_change_no_byte_have_no_findings(repo: Repo, run: Run) -> None:
    """They are set, and there is nothing for them to do."""
    sources = (f"x{'y' * n} = {'(x, ' * m}1{')' * m}" for n in range(9) for m in range(9))
    made = ((source, timestamp_pyc(compile_source(source), len(source))) for source in sources)
    source, data = next((s, d) for s, d in made if b"\n" not in d[4:])
    tracked(repo, "*.pyc text eol=crlf ident", source, data)
    assert found(run) == []


def test_attributes_of_a_linked_cache_are_those_of_the_target(repo: Repo, run: Run) -> None:
    """The attributes of the file count, not those of the link."""
    repo.stage(".gitattributes", "store/* text eol=crlf\n")
    repo.stage("m.py", "x = '\\n\\n'\n")
    repo.stage(f"store/{cache_path().partition('/')[2]}", WITH_LINE)
    repo.stage("__pycache__", "store", mode="120000")
    assert any("text eol=crlf" in finding for finding in found(run))


def test_bytecode_of_another_name_at_checkout_is_reported(repo: Repo, run: Run) -> None:
    repo.commit()
    repo.stage(".gitattributes", "logo.png -text working-tree-encoding=ISO-8859-1\n")
    repo.stage("logo.png", foreign_pyc("cpython-27").decode("latin-1").encode())
    (finding,) = found(run)
    assert "working-tree-encoding=ISO-8859-1" in finding


def test_lfs_pointer_on_disk_is_unverifiable(repo: Repo, run: Run) -> None:
    repo.write("m.py", INNOCENT)
    repo.write(cache_path(), POINTER)
    code, out, _ = run("verify-bytecode")
    assert (code, "PYC205 it is a Git LFS pointer" in out) == (1, True)
    assert "magic" not in out


def test_link_to_an_untracked_file_is_a_failure(repo: Repo, run: Run) -> None:
    """They are reported as before, with attributes or without."""
    repo.stage(".gitattributes", "*.pyc text\n")
    repo.stage("m.py", INNOCENT)
    repo.stage(cache_path(), "nowhere", mode="120000")
    code, _, err = run("verify-bytecode", "--tracked")
    assert (code, "target of the symbolic link is not tracked" in err) == (2, True)


@pytest.mark.parametrize("caches", [2, 300])
def test_many_linked_caches_take_linear_time(repo: Repo, run: Run, caches: int) -> None:
    """Each link is followed without a look at every entry."""
    repo.stage_all(f"d{n}/f{m}" for n in range(caches) for m in range(20))
    name = cache_path().partition("/")[2]
    repo.stage(f"store/{name}", timestamp_pyc(compile_source(INNOCENT), len(INNOCENT)))
    link = repo.blob("../store")
    source = repo.blob(INNOCENT)
    records = "".join(
        f"120000 {link} 0\td{n}/__pycache__\0100644 {source} 0\td{n}/m.py\0" for n in range(caches)
    )
    repo.git("update-index", "--add", "-z", "--index-info", input=os.fsencode(records))
    assert run("verify-bytecode", "--tracked", "--format", "json").code in (0, 1)
