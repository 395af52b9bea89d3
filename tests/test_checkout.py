"""M2 and M3 of the audit: files are checked as git checks them out, links included."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import foreign_pyc
from helpers.posix_names import decode_posix_name
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import GitCalls, Run
    from helpers.repo import Repo

#: Magics without CR in their second byte: CPython 2.7, and 3.14 by its number.
OF_27 = foreign_pyc("cpython-27")
OF_314 = (3627).to_bytes(2, "little") + b"\r\n" + bytes(12) + b"\xe3" + bytes(40)


def found(run: Run, *argv: str) -> dict[str, str]:
    """Run `forbid-bytecode`; return paths and messages of PYC002."""
    code, out, _ = run("forbid-bytecode", "--format", "json", *argv)
    findings = json.loads(out)["findings"]
    assert code == (1 if findings else 0)
    return {item["path"]: item["message"] for item in findings if item["code"] == "PYC002"}


def latin(encoding: str) -> Callable[[bytes], bytes]:
    """Return what makes a text of bytes that git encodes back."""
    return lambda data: data.decode(encoding).encode("utf-8")


def with_bare_lines(data: bytes) -> bytes:
    """Return content that becomes `data` where each LF becomes CR LF."""
    return data.replace(b"\r\n", b"\n")


def padded(data: bytes) -> bytes:
    """Return `data` in units of two bytes, none of them half of a pair."""
    return data + b"\0" * (len(data) % 2)


#: A few bytes are enough where bytes of a module are no text in an encoding.
SHORT = OF_314[:4] + bytes(12) + b"\xe3" + bytes(41)
BECOMING = [
    ("logo.png -text working-tree-encoding=ISO-8859-1", latin("latin-1"), OF_27),
    ("logo.png -text working-tree-encoding=latin1", latin("latin-1"), OF_27),
    ("*.png text working-tree-encoding=CP437", latin("cp437"), SHORT),
    ("* working-tree-encoding=KOI8-R", latin("koi8-r"), SHORT),
    ("* -text working-tree-encoding=IBM037", latin("cp037"), SHORT),
    ("logo.png -text working-tree-encoding=UTF-16LE", latin("utf-16-le"), SHORT),
    ("logo.png -text working-tree-encoding=UTF-16BE", latin("utf-16-be"), SHORT),
    (
        "[attr]picture -text working-tree-encoding=ISO-8859-1\n*.png picture",
        latin("latin-1"),
        OF_27,
    ),
    ("logo.png text eol=crlf", with_bare_lines, OF_27),
    ("logo.png eol=crlf", with_bare_lines, OF_27),
    ("*.png crlf eol=crlf", with_bare_lines, OF_314),
    ("*.png text", with_bare_lines, OF_314),  # under Windows
    ("*.png text eol=lf\nlogo.png eol=crlf", with_bare_lines, OF_314),
    ("*.png text eol=lf\nlogo.png !eol", with_bare_lines, OF_314),
    ('"logo.p\\156g" text eol=crlf', with_bare_lines, OF_314),
]


@pytest.mark.parametrize(("line", "stored", "data"), BECOMING, ids=[line for line, *_ in BECOMING])
@pytest.mark.parametrize("where", ["index", "tree"])
def test_file_that_becomes_bytecode_at_checkout_is_reported(
    repo: Repo, run: Run, line: str, stored: Callable[[bytes], bytes], data: bytes, where: str
) -> None:
    repo.commit()
    repo.stage(".gitattributes", line + "\n")
    repo.stage("logo.png", stored(data))
    if where == "tree":
        repo.commit()
    argv = ["--tree", "HEAD"] if where == "tree" else []
    for content in ("new", "all"):
        (message,) = found(run, "--content", content, *argv).values()
        assert "bytecode when git checks it out (`" in message


@pytest.mark.parametrize(("line", "stored", "data"), BECOMING, ids=[line for line, *_ in BECOMING])
def test_table_agrees_with_git_checkout_index(
    repo: Repo, line: str, stored: Callable[[bytes], bytes], data: bytes
) -> None:
    repo.stage(".gitattributes", line + "\n")
    repo.stage("logo.png", stored(data))
    repo.git("-c", "core.eol=crlf", "checkout-index", "--all")
    # Where lines end otherwise all of them do, those that were bare as well.
    expected = (
        with_bare_lines(data).replace(b"\n", b"\r\n") if "text" in line or "eol" in line else data
    )
    written = (repo.path / "logo.png").read_bytes()
    assert written == (data if "encoding" in line else expected)


PLACES = [
    ("pkg/.gitattributes", "*.png"),
    ("pkg/deep/.gitattributes", "logo.png"),
    (".gitattributes", "pkg/**"),
    ("pkg/.GitAttributes", "*.png"),
]


@pytest.mark.parametrize(("path", "pattern"), PLACES)
def test_attributes_in_any_directory_count(repo: Repo, run: Run, path: str, pattern: str) -> None:
    repo.commit()
    repo.stage(path, f"{pattern} -text working-tree-encoding=ISO-8859-1\n")
    repo.stage("pkg/deep/logo.png", latin("latin-1")(OF_27))
    assert [*found(run)] == ["pkg/deep/logo.png"]


def test_attributes_in_the_blob_of_a_link_count(repo: Repo, run: Run, tmp_path: Path) -> None:
    """Git reads them while it checks out: from the index, where there is no link."""
    line = "logo.png -text working-tree-encoding=ISO-8859-1"
    repo.stage(".gitattributes", line, mode="120000")
    repo.stage("logo.png", latin("latin-1")(OF_27))
    assert [*found(run)] == ["logo.png"]
    repo.commit()
    repo.git("clone", "-q", ".", os.fspath(tmp_path / "clone"))


@pytest.mark.parametrize("change", ["add", "edit", "delete"])
def test_new_attributes_make_an_old_file_new(repo: Repo, run: Run, change: str) -> None:
    """The content was there before, and was harmless."""
    line = "logo.png -text working-tree-encoding=ISO-8859-1\n"
    repo.stage("pkg/logo.png", latin("latin-1")(OF_27))
    if change == "delete":
        repo.stage(".gitattributes", line)
        repo.stage("pkg/.gitattributes", "logo.png working-tree-encoding=UTF-8\n")
    elif change == "edit":
        repo.stage(".gitattributes", "logo.png -text\n")
    repo.commit()
    assert found(run, "--content", "all") == {}
    if change == "delete":
        repo.git("update-index", "--force-remove", "pkg/.gitattributes")
    else:
        repo.stage(".gitattributes", line)
    assert [*found(run)] == [*found(run, "--staged")] == ["pkg/logo.png"]


def test_paths_of_any_bytes_are_checked(repo: Repo, run: Run) -> None:
    repo.stage(".gitattributes", "* -text working-tree-encoding=ISO-8859-1\n")
    names = [
        "a b.png",
        "-x",
        "new\nline",
        "tab\t",
        'quo"te',
        "größe",
        decode_posix_name(b"\xff.png"),
    ]
    repo.stage_files(dict.fromkeys(names, latin("latin-1")(OF_27)))
    assert len(found(run)) == len(names)


def test_allow_entry_covers_bytecode_at_checkout(repo: Repo, run: Run) -> None:
    repo.stage(".gitattributes", "logo.png text eol=crlf\n")
    repo.stage("logo.png", with_bare_lines(OF_27))
    assert found(run, "--allow", "*.png") == {}
    assert found(run, "--allow", "*.png", "--content", "all") == {}


@pytest.mark.parametrize(
    ("encoding", "content", "code"),
    [
        ("nobodys-code", "text\n", 0),
        ("nobodys-code", "# größe\r\n", 0),
        ("iso-8859", "This file is encoded as it is.\n", 0),
        ("nobodys-code", "", 0),
        ("nobodys-code", "a\n", 2),
        ("nobodys-code", "§\r\r\n\0\0\0\0", 2),
        ("nobodys-code", "o\r\r\n", 2),
        ("ebcdic-of-nobody", "x\u008e\r\u0085", 2),
        ("UCS-2-INTERNAL", "text\n", 2),
        ("utf-99", "text\n", 2),
    ],
)
def test_unknown_encoding_that_could_give_bytecode_ends_with_2(
    encoding: str, content: str, code: int, repo: Repo, run: Run
) -> None:
    """Git writes the content as it is stored here; elsewhere it may know the encoding."""
    repo.stage(".gitattributes", f"*.png working-tree-encoding={encoding}\n")
    repo.stage("logo.png", content)
    for scope in ([], ["--content", "all"]):
        result = run("forbid-bytecode", *scope)
        assert result.code == code
        if code:
            assert "cannot be written here" in result.err
            assert encoding in result.err


def test_attributes_that_git_refuses_end_with_2(repo: Repo, run: Run) -> None:
    repo.stage(".gitattributes", "* working-tree-encoding\n")
    repo.stage("logo.png", "text\n")
    code, _, err = run("forbid-bytecode")
    assert (code, err.startswith("error: git cat-file: ")) == (2, True)


def test_missing_attributes_blob_ends_with_2(repo: Repo, run: Run) -> None:
    blob = repo.stage(".gitattributes", "* text\n")
    repo.commit()
    repo.stage("logo.png", "text\n")
    os.unlink(repo.path / ".git" / "objects" / blob[:2] / blob[2:])
    code, _, err = run("forbid-bytecode")
    assert (code, err.startswith(f"error: .gitattributes: blob {blob} cannot be read")) == (2, True)


@pytest.mark.parametrize("setting", ["core.attributesFile", "info"])
def test_attributes_that_are_not_cloned_do_not_count(
    repo: Repo, run: Run, setting: str, tmp_path: Path
) -> None:
    """Neither for nor against: what a person sets for themselves changes nobody else's checkout."""
    line = "logo.png -text working-tree-encoding=ISO-8859-1\n"
    against = "logo.png !working-tree-encoding\n"
    for tracked, own, expected in (("* text=auto\n", line, []), (line, against, ["logo.png"])):
        repo.stage(".gitattributes", tracked)
        repo.stage("logo.png", latin("latin-1")(OF_27))
        if setting == "info":
            repo.write(".git/info/attributes", own)
        else:
            repo.git("config", setting, os.fspath(tmp_path / "own"))
            (tmp_path / "own").write_text(own)
        assert [*found(run, "--content", "all")] == expected


#: Lines of real repositories.
HONEST = """\
* text=auto
* text=auto eol=crlf
*.py text
*.sh text eol=lf
*.ps1 text eol=crlf
*.bat eol=crlf
*.png binary
*.jpg -text
*.ipynb filter=nbstripout diff=ipynb
*.bin filter=lfs diff=lfs merge=lfs -text
*.rc working-tree-encoding=UTF-16LE-BOM eol=crlf
*.strings working-tree-encoding=UTF-16
*.c ident
*.crlf crlf=input
*.md linguist-documentation whitespace=cr-at-eol
"""
FILES: dict[str, bytes | str] = {
    "a.py": "print(1)\n",
    "a.sh": "#!/bin/sh\n",
    "a.ps1": "<#\r\nabc\n#>\n",
    "a.bat": "@echo\n",
    "a.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "a.ipynb": '{"cells": []}\n',
    "a.rc": "größe\n",
    "a.strings": '"a" = "b";\n',
    "a.c": "/* $Id$ */\n",
    "a.md": "# x\n",
    "nul.txt": b"\0\n\0\n",
    "two": b"\n\n\0\0\n",
}


def test_attributes_of_real_repositories_have_no_findings(repo: Repo, run: Run) -> None:
    repo.commit()
    repo.stage(".gitattributes", HONEST)
    repo.stage_files(FILES)
    for argv in ((), ("--content", "all"), ("--staged",)):
        result = run("forbid-bytecode", *argv)
        assert result == CLEAN
        assert "ot looked into: 1 filtered file (a.ipynb); see PYC002.\n" in result.out
    repo.commit()
    assert run("forbid-bytecode") == CLEAN


@pytest.mark.parametrize(
    ("line", "verbs"),
    [
        ("* text=auto\n*.png binary\n*.sh text eol=lf\n*.bin filter=lfs -text", ["cat-file"] * 2),
        ("*.py text\n*.ps1 eol=crlf", ["cat-file"] * 2),
    ],
)
def test_git_is_asked_only_where_an_attribute_could_matter(
    repo: Repo, run: Run, git_calls: GitCalls, line: str, verbs: list[str]
) -> None:
    repo.stage(".gitattributes", line)
    repo.commit()
    repo.stage_files(FILES)
    # These could be bytecode in other lines.
    repo.git("update-index", "--force-remove", "two", "nul.txt")
    git_calls.reset()
    assert run("forbid-bytecode") == CLEAN
    assert sorted(git_calls.verbs()) == sorted(["ls-files", "diff-index", *verbs])
    repo.commit()
    git_calls.reset()
    assert run("forbid-bytecode") == CLEAN
    assert sorted(git_calls.verbs()) == ["diff-index", "ls-files"]


@pytest.mark.parametrize("mode", ["120000", "100644", "100755"])
@pytest.mark.parametrize("data", [BYTECODE, OF_27, OF_314])
def test_bytecode_in_the_blob_of_a_link_is_reported(
    repo: Repo, run: Run, mode: str, data: bytes
) -> None:
    repo.commit()
    repo.stage("logo.png", data, mode=mode)
    assert [*found(run)] == [*found(run, "--content", "all")] == ["logo.png"]
    assert [*found(run, "--staged")] == ["logo.png"]
    repo.commit()
    assert [*found(run, "--tree", "HEAD")] == ["logo.png"]
    assert run("check-history", "HEAD")[0] == 1
    assert run("verify-bytecode", "--tracked")[:1] == (0,)  # what is not new is not read


def test_verify_reads_the_blob_of_a_link_as_a_file(repo: Repo, run: Run) -> None:
    """With `core.symlinks=false` it is one."""
    repo.commit()
    repo.stage("logo.png", BYTECODE, mode="120000")
    code, out, err = run("verify-bytecode", "--tracked")
    assert (code, err) == (1, "")
    assert out.startswith("logo.png: PYC204 ")


def test_links_to_paths_have_no_findings(repo: Repo, run: Run) -> None:
    for n, target in enumerate(["a", "../x", "/usr/bin/python", "", "x" * 200]):
        repo.stage(f"link{n}", target, mode="120000")
    assert run("forbid-bytecode", "--content", "all") == CLEAN


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1\n".format("0" * 64)
UNREAD = [
    (POINTER, "git_lfs_pointers", "1 Git LFS pointer (x)"),
    (b"PK\3\4" + bytes(30), "archives", "1 archive (x)"),
    (b"PK\5\6" + bytes(18), "archives", "1 archive (x)"),
    (b"#!/usr/bin/env python3\nPK\3\4" + bytes(30), "archives", "1 archive (x)"),
    (b"\x1f\x8b\x08" + bytes(30), "archives", "1 archive (x)"),
    (b"name".ljust(257, b"\0") + b"ustar\x0000" + bytes(300), "archives", "1 archive (x)"),
]


@pytest.mark.parametrize(("data", "key", "words"), UNREAD)
def test_unread_file_is_counted_by_kind(
    repo: Repo, run: Run, data: bytes | str, key: str, words: str
) -> None:
    repo.commit()
    repo.stage("x", data)
    result = run("forbid-bytecode")
    assert result == CLEAN
    assert f"ot looked into: {words}; see PYC002.\n" in result.out
    report = json.loads(run("forbid-bytecode", "--format", "json").out)
    assert report["not_looked_into"] == {
        **dict.fromkeys(["git_lfs_pointers", "archives", "filtered_files"], 0),
        key: 1,
    }
    repo.commit()
    assert run("forbid-bytecode") == CLEAN
    for argv in (("--content", "all"), ("--tree", "HEAD")):
        assert words in run("forbid-bytecode", *argv).out


def test_unread_files_of_several_kinds_are_one_line(repo: Repo, run: Run) -> None:
    for name in "abc":
        repo.stage(name, POINTER + name)
    repo.stage("d.zip", b"PK\3\4")
    words = "3 Git LFS pointers (a, …), 1 archive (d.zip)"
    assert f"ot looked into: {words}; see PYC002.\n" in run("forbid-bytecode").out


def test_no_filter_is_run(repo: Repo, run: Run, tmp_path: Path) -> None:
    repo.stage(".gitattributes", "* filter=evil text eol=crlf working-tree-encoding=UTF-16LE\n")
    repo.stage("logo.png", "text\n")
    for key in ("smudge", "clean", "process"):
        repo.git("config", f"filter.evil.{key}", f"touch {tmp_path}/ran; cat")
    repo.git("config", "filter.evil.required", "true")
    assert run("forbid-bytecode", "--content", "all")[0] == 0
    subprocess.run(["git", "cat-file", "--filters", ":logo.png"], check=False, capture_output=True)
    assert not run("forbid-bytecode", "--content", "all")[0]
    assert (tmp_path / "ran").exists()  # by plain git: the filter would run
    (tmp_path / "ran").unlink()
    run("forbid-bytecode", "--content", "all")
    assert not (tmp_path / "ran").exists()
