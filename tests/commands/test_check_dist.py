"""What is reported of archives, and what of those that nobody should trust."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import struct
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import (
    SOURCE,
    TAG,
    check_archive,
    hash_member,
    make_special_tar,
    make_tar,
    make_zip,
    messages,
    special_member,
    timestamp_member,
)
from helpers.posix_names import decode_posix_name
from helpers.report_parser import CLEAN
from helpers.windows import words_of_missing_file
from pycache_guard.archives import member, tars, zip_directory, zips
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.dist import scan

if TYPE_CHECKING:
    from conftest import Program, Run
    from helpers.repo import Repo

HERE = identify_magic(timestamp_member())
assert HERE is not None
WRITER = f"{HERE.implementation} {HERE.version} bytecode"
OTHER = "run `pycache-guard clean` before you build the archive"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty directory, which is no repository."""
    monkeypatch.chdir(tmp_path)


def unjudged(run: Run, name: str, data: bytes) -> str:
    """Return what is said of an archive that cannot be judged, and in which nothing is found."""
    Path(name).write_bytes(data)
    result = run("check-dist", name)
    assert (result.code, result.out) == (2, "")
    return result.err


MEMBERS = {"p/m.py": SOURCE, "p/a.pyd": b"", "p/b.so": b"", "p/empty": b"", "p/long": b"x" * 9999}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.whl", make_zip(MEMBERS)),
        ("a.zip", make_zip(MEMBERS, method=zipfile.ZIP_STORED)),
        ("a.egg", make_zip(MEMBERS, method=zipfile.ZIP_BZIP2)),
        ("A.ZIP", make_zip(MEMBERS, method=zipfile.ZIP_LZMA)),
        ("a.pyz", b"#!/usr/bin/env python3\n" + make_zip(MEMBERS)),
        ("a.tar", make_tar(MEMBERS, mode="w")),
        ("a.tar.gz", make_tar(MEMBERS)),
        ("a.tgz", make_tar(MEMBERS)),
        ("a.tar.bz2", make_tar(MEMBERS, mode="w:bz2")),
        ("a.tar.xz", make_tar(MEMBERS, mode="w:xz")),
        ("no suffix", make_tar(MEMBERS)),
        ("no suffix", make_tar(MEMBERS, mode="w")),
        ("no suffix", make_zip(MEMBERS)),
        ("no.whl", make_zip({})),
        ("two.tar.gz", gzip.compress(make_tar(MEMBERS, mode="w")[:700]) + gzip.compress(make_tar(MEMBERS, mode="w")[700:]) + bytes(9)),
    ],
)  # fmt: skip
def test_nothing_to_say(run: Run, program: Program, name: str, data: bytes) -> None:
    assert check_archive(run, name, data) == []
    assert program("check-dist", "--quiet", name, cwd=Path.cwd()) == (0, "", "")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_bytecode_in_a_zip_by_path_and_by_content(run: Run, method: int) -> None:
    members = {
        "m.py": SOURCE,
        TAG: timestamp_member(),
        "X.PYC": b"",
        "d/logo.png": timestamp_member(),
        "__pycache__/": b"",
    }
    assert check_archive(run, "a.zip", make_zip(members, method=method)) == [
        "ships `X.PYC`: bytecode",
        f"ships `{TAG}`: {WRITER}",
        f"ships `d/logo.png`: {WRITER} under a different name",
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_bytecode_in_a_tar(run: Run, mode: str) -> None:
    members = {
        "d/m.py": SOURCE,
        f"d/{TAG}": timestamp_member(),
        "d/x": timestamp_member(),
        "d/a.pyc.123": b"",
    }
    assert check_archive(run, "a.tar", make_tar(members, mode=mode)) == [
        f"ships `d/{TAG}`: {WRITER}",
        "ships `d/a.pyc.123`: bytecode",
        f"ships `d/x`: {WRITER} under a different name",
    ]


def test_the_whole_report(run: Run, program: Program) -> None:
    Path("a.whl").write_bytes(make_zip({"a.pyc": b""}))
    expected = (
        1,
        f"a.whl: PYC311 ships `a.pyc`: bytecode; {OTHER}\n",
        "",
    )
    assert run("check-dist", "--quiet", "a.whl") == expected
    assert program("check-dist", "--quiet", "a.whl", cwd=Path.cwd()) == expected


@pytest.mark.parametrize(
    ("source", "bytecode", "doubt"),
    [
        (SOURCE, timestamp_member(), ""),
        (
            SOURCE,
            timestamp_member(size=7),
            ", does not match its source: `m.py` has 6 bytes, not 7 as when it was compiled",
        ),
        (SOURCE, hash_member(), ""),
        (SOURCE, hash_member(b"other"), ", does not match its source: `m.py` has a different hash"),
        (
            SOURCE,
            hash_member(checked=False),
            ", unchecked-hash: Python runs it without checking the source",
        ),
        (
            SOURCE,
            hash_member(b"other", checked=False),
            (
                ", unchecked-hash: Python runs it without checking the source,"
                " does not match its source: `m.py` has a different hash"
            ),
        ),
    ],
)
def test_bytecode_against_its_source(run: Run, source: bytes, bytecode: bytes, doubt: str) -> None:
    expected = [f"ships `{TAG}`: {WRITER}{doubt}"]
    assert check_archive(run, "a.zip", make_zip({"m.py": source, TAG: bytecode})) == expected
    assert (
        check_archive(run, "b.tar", make_tar({TAG: bytecode, "m.py": source}, mode="w")) == expected
    )


def test_a_format_without_a_header_is_compared_with_nothing(run: Run) -> None:
    members = {"m.py": SOURCE, "m$py.class": b"\xca\xfe\xba\xbe" + bytes(60)}
    why = "cannot be compared: it is a Java class, which Jython runs if it is not older than its source"
    assert check_archive(run, "a.zip", make_zip(members)) == [
        f"ships `m$py.class`: Jython 2.7 bytecode, {why}"
    ]


def test_times_count_where_the_builder_left_them(run: Run) -> None:
    members = {"m.py": SOURCE, TAG: timestamp_member(5)}
    assert check_archive(run, "alike.tar.gz", make_tar(members)) == [f"ships `{TAG}`: {WRITER}"]
    assert check_archive(run, "left.tar.gz", make_tar(members, mtimes={TAG: 2000})) == [
        f"ships `{TAG}`: {WRITER}, does not match its source: `m.py` has a different modification time"
    ]
    members[TAG] = timestamp_member(1000)
    assert check_archive(run, "fit.tar.gz", make_tar(members, mtimes={TAG: 2000})) == [
        f"ships `{TAG}`: {WRITER}"
    ]


def test_a_record_that_lists_what_is_not_there(run: Run) -> None:
    record = b'm.py,,\n"a, b/__pycache__/gone.cpython-311.pyc",sha256=x,1\n\na.pyc,,\n'
    members = {"a.pyc": b"", "d-1.dist-info/RECORD": record}
    assert check_archive(run, "a.whl", make_zip(members)) == [
        "RECORD lists `a, b/__pycache__/gone.cpython-311.pyc`, which is not in the archive",
        "ships `a.pyc`: bytecode",
    ]


def test_archives_in_it(run: Run) -> None:
    inner = make_zip({TAG: timestamp_member(size=7), "m.py": SOURCE})
    members = {"d/in.whl": inner, "d/docx": inner, "s.tar.gz": make_tar({"a.pyc": b""})}
    doubt = ", does not match its source: `m.py` has 6 bytes, not 7 as when it was compiled"
    expected = [
        f"ships `d/docx!{TAG}`: {WRITER}{doubt}",
        f"ships `d/in.whl!{TAG}`: {WRITER}{doubt}",
        "ships `s.tar.gz!a.pyc`: bytecode",
    ]
    assert check_archive(run, "a.zip", make_zip(members)) == expected
    assert check_archive(run, "a.tar.gz", make_tar(members)) == expected


def test_archives_in_those_are_not_looked_into(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = make_zip({"a.zip": make_zip({"a.pyc": b""})})
    said = unjudged(run, "x.zip", make_zip({"b.zip": inner, "c.zip": b"junk"}))
    assert said == (
        "error: x.zip: b.zip!a.zip: is an archive at the third level, which is not checked\n"
        "error: x.zip: c.zip: is not a readable zip file: it has no end record\n"
    )
    nested = make_zip({"a.pyc": b""})
    monkeypatch.setattr(scan, "MAX_NESTED_BYTES", len(nested))
    assert check_archive(run, "x.zip", make_zip({"b.zip": nested})) == [
        "ships `b.zip!a.pyc`: bytecode"
    ]
    monkeypatch.setattr(scan, "MAX_NESTED_BYTES", 10)
    assert (
        "b.zip: is an archive of more than 0 MiB inside another, which is not checked"
        in unjudged(run, "x.zip", make_zip({"b.zip": inner}))
    )


NAMES = ["../a.py", "/a.py", "\\a.py", "C:/a.py", "d/../../a.py", "..\\a.py"]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_that_leads_out(run: Run, name: str) -> None:
    for file, data in {
        "a.zip": make_zip({name: SOURCE}),
        "a.tar": make_tar({name: SOURCE}, mode="w"),
    }.items():
        said = unjudged(run, file, data)
        assert said.startswith(f"error: {file}: ")
        assert said.endswith(": points outside the archive\n")


def test_links(run: Run) -> None:
    inside = {"d/l": "../m", "d/k": "./x/../y"}
    assert check_archive(run, "a.zip", make_zip({}, links=inside)) == []
    assert check_archive(run, "p.zip", make_zip({}, links={"a.pyc": "b"})) == [
        "ships `a.pyc`: bytecode"
    ]
    out = "error: a.zip: d/l: points outside the archive\n"
    assert unjudged(run, "a.zip", make_zip({}, links={"d/l": "../../m"})) == out
    assert unjudged(run, "a.zip", make_zip({}, links={"d/l": "/m"})) == out
    soft, hard = (
        special_member("d/l", tarfile.SYMTYPE, "../m"),
        special_member("d/h", tarfile.LNKTYPE, "d/l"),
    )
    fifo, directory = (
        special_member("d/f", tarfile.FIFOTYPE),
        special_member("d/__pycache__", tarfile.DIRTYPE),
    )
    assert check_archive(run, "a.tar", make_special_tar(soft, hard, fifo, directory)) == []
    assert check_archive(
        run, "a.tar", make_special_tar(special_member("a.pyc", tarfile.LNKTYPE, "b"))
    ) == ["ships `a.pyc`: bytecode"]
    for target in (
        special_member("d/l", tarfile.SYMTYPE, "../../m"),
        special_member("d/l", tarfile.LNKTYPE, "../m"),
    ):
        assert unjudged(run, "a.tar", make_special_tar(target)) == out.replace("zip", "tar")


def test_encrypted(run: Run) -> None:
    data = bytearray(make_zip({"a.py": SOURCE, "b.pyc": b""}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for start in (data.find(signature), data.rfind(signature)):
            data[start + at] |= 1
    Path("a.zip").write_bytes(data)
    assert run("check-dist", "--quiet", "a.zip") == (
        2,
        f"a.zip: PYC311 ships `b.pyc`: bytecode; {OTHER}\n",
        "error: a.zip: a.py: is encrypted\nerror: a.zip: b.pyc: is encrypted\n",
    )


def test_names_that_disagree(run: Run) -> None:
    """An installer that goes by local headers would see another file."""
    data = make_zip({"a.txt": b"x" * 100}).replace(b"a.txt", b"a.pyc", 1)
    said = unjudged(run, "a.zip", data)
    assert said == "error: a.zip: a.txt: has different names in its header and in the directory\n"


def overwritten(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return `data` with the one `old` replaced."""
    assert data.count(old) == 1
    return data.replace(old, new)


TAR = make_tar({"a.py": SOURCE, "b.py": SOURCE, "c.txt": b""}, mode="w")
ZIP = make_zip({"a.py": SOURCE, "b.py": b"y" * 500})


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.whl", b"", "is not a readable zip file: it has no end record"),
        ("a.whl", ZIP[:-30], "is not a readable zip file: it has no end record"),
        (
            "a.whl",
            overwritten(ZIP, b"PK\x05\x06", b"PK\x05\x07"),
            "is not a readable zip file",
        ),
        (
            "a.whl",
            ZIP.replace(b"PK\x01\x02", b"PK\x01\x01"),
            "is not a readable zip file: its directory is damaged",
        ),
        (
            "a.whl",
            ZIP.replace(b"PK\x03\x04", b"PK\x03\x05", 1),
            "a.py: is damaged: there is no header where the directory puts it",
        ),
        (
            "a.whl",
            ZIP.replace(b"b.py", b"\xff.py", 1),
            "b.py: has different names in its header and in the directory",
        ),
        ("a.tar.gz", b"", "is not a readable tar file: it has no header at its start"),
        (
            "a.tar.gz",
            gzip.compress(b"", mtime=0),
            "is not a readable tar file: it has no header at its start",
        ),
        ("a.tar.gz", gzip.compress(TAR)[:-9], "it ends before its end marker"),
        ("a.tar.gz", gzip.compress(TAR)[:-4] + b"\0" * 4, "incorrect length check"),
        ("a.tar.gz", gzip.compress(TAR) + b"junk", "incorrect header check"),
        ("a.tar.xz", lzma.compress(TAR)[:-20], "it ends before its end marker"),
        ("a.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(99), "is compressed with zstd"),
        ("a.tar", b"\x01" * 1024, "is not a readable tar file"),
        ("a.tar", TAR[:600], "is truncated or damaged"),
        ("a.tar", TAR[:1024], "is truncated or damaged"),
        ("a.tar", TAR[:1030] + b"~" + TAR[1031:], "is truncated or damaged"),
        ("a.tar", make_tar({"a": b""}, mode="w") + TAR, "has data after its end"),
        ("a.txt", b"text", "is not a zip or tar file"),
    ],
)
def test_damage_is_reported_in_a_line(run: Run, name: str, data: bytes, why: str) -> None:
    if name == "a.tar.zst" and hasattr(zipfile, "ZIP_ZSTANDARD"):
        why = "is not a readable tar file"
    said = unjudged(run, name, data)
    assert said.startswith(f"error: {name}: ")
    assert why in said
    assert said.count("\n") == 1


def test_what_was_found_before_the_damage_is_reported(run: Run) -> None:
    Path("a.tar").write_bytes(make_tar({"a.pyc": timestamp_member(), "b": b""}, mode="w")[:1600])
    result = run("check-dist", "a.tar")
    assert (result.code, messages(result.out)) == (2, [f"ships `a.pyc`: {WRITER}"])
    assert result.err == "error: a.tar: is truncated or damaged\n"


def test_a_damaged_member(run: Run) -> None:
    data = make_zip({"a.py": SOURCE, "b.pyc": b""}, method=zipfile.ZIP_LZMA)
    at = data.find(SOURCE[:2])
    assert at < 0
    start = data.find(b"a.py") + 13
    broken = data[:start] + bytes([data[start] ^ 0xFF]) + data[start + 1 :]
    Path("a.zip").write_bytes(broken)
    result = run("check-dist", "a.zip")
    assert (result.code, messages(result.out)) == (2, ["ships `b.pyc`: bytecode"])
    assert result.err.startswith("error: a.zip: a.py: is damaged: ")


def test_a_source_that_cannot_be_read(run: Run) -> None:
    """It is reported once, whatever comes from it."""
    source, older = bytes(range(256)) * 2, TAG.replace("311", "310")
    members = {older: hash_member(source), TAG: hash_member(source), "m.py": source}
    data = bytearray(make_zip(members, method=zipfile.ZIP_STORED))
    data[data.rfind(bytes(range(256))) + 255] ^= 1
    Path("a.zip").write_bytes(data)
    result = run("check-dist", "a.zip")
    expected = [f"ships `{name}`: {WRITER}" for name in (older, TAG)]
    assert (result.code, messages(result.out)) == (2, expected)
    assert (
        result.err
        == "error: a.zip: m.py: is damaged: its size or checksum differs from the directory\n"
    )


def test_bombs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "RATIO_GRACE_BYTES", 1 << 20)
    zeros = {"z": bytes(3 << 20)}
    bomb = "unpacks to more than 200 times its size, beyond 1 MiB, like a decompression bomb\n"
    assert unjudged(run, "a.zip", make_zip(zeros)) == f"error: a.zip: {bomb}"
    assert unjudged(run, "a.tar.gz", make_tar(zeros)) == f"error: a.tar.gz: {bomb}"
    assert unjudged(run, "a.tar.xz", make_tar(zeros, mode="w:xz")) == f"error: a.tar.xz: {bomb}"
    assert check_archive(run, "a.tar", make_tar(zeros, mode="w")) == []
    monkeypatch.setattr(member, "MAX_TOTAL_BYTES", 1 << 20)
    whole = "holds more than 0 GiB unpacked; the rest is not checked\n"
    assert unjudged(run, "a.tar", make_tar(zeros, mode="w")) == f"error: a.tar: {whole}"


def test_too_many_members(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MAX_MEMBER_COUNT", 2)
    monkeypatch.setattr(tars, "MAX_MEMBER_COUNT", 2)
    members = {"a": b"", "b": b"", "c": b""}
    assert unjudged(run, "a.zip", make_zip(members)) == "error: a.zip: has 3 members, more than 2\n"
    assert unjudged(run, "a.tar", make_tar(members)) == "error: a.tar: has more than 2 members\n"
    monkeypatch.setattr(zips, "MAX_MEMBER_COUNT", 3)
    monkeypatch.setattr(tars, "MAX_MEMBER_COUNT", 3)
    assert (
        check_archive(run, "a.zip", make_zip(members))
        == check_archive(run, "a.tar", make_tar(members))
        == []
    )


def test_what_is_read_whole_has_a_bound(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    header = special_member("x", tarfile.XHDTYPE)
    header.size = 1 << 33
    data = header.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
    said = "error: a.tar: has a header of 8589934592 bytes, more than 10 KiB\n"
    assert unjudged(run, "a.tar", data) == said
    monkeypatch.setattr(zip_directory, "MAX_ZIP_DIRECTORY_BYTES", 50)
    said = "error: a.zip: has a directory of 102 bytes, more than 0 MiB\n"
    assert unjudged(run, "a.zip", make_zip({"a": b"", "name" * 2: b""})) == said.replace(
        "102", str(2 * 46 + 9)
    )


def test_a_chain_of_headers_has_an_end(run: Run) -> None:
    link = special_member("x", tarfile.GNUTYPE_LONGNAME)
    assert "has a long name that readers interpret differently" in unjudged(
        run, "a.tar", link.tobuf() * 5000
    )


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"x" * 200_000, "a line of more than 131072 bytes"),
        (
            b'"' + b"x\n" * 100_000,
            "line 65537: field larger than field limit"
            if sys.implementation.name == "pypy"
            else "field larger than field limit (131072)",
        ),
    ],
)
def test_a_record_that_is_not_a_list_is_refused(run: Run, record: bytes, why: str) -> None:
    said = unjudged(run, "a.whl", make_zip({"d.dist-info/RECORD": record}))
    assert said == f"error: a.whl: d.dist-info/RECORD: is not a list of files: {why}\n"


def test_the_last_line_of_a_record_needs_no_end(run: Run) -> None:
    assert check_archive(run, "a.whl", make_zip({"d.dist-info/RECORD": b"a,,\nb.pyc,,"})) == [
        "RECORD lists `b.pyc`, which is not in the archive"
    ]


def test_ignored_findings_are_not_reported(run: Run) -> None:
    Path("a.whl").write_bytes(make_zip({"a.pyc": b""}))
    assert run("check-dist", "--ignore", "PYC311", "a.whl") == CLEAN
    assert run("check-dist", "--ignore", "PYC207", "a.whl").code == 1
    Path("b.whl").write_bytes(b"")
    assert run("check-dist", "--ignore", "PYC311", "a.whl", "b.whl").code == 2
    result = run("check-dist", "--ignore", "PYC001", "a.whl")
    assert result.code == 2
    assert result.err.startswith('error: --ignore: "PYC001" cannot be ignored')


def test_globs_are_expanded_where_no_shell_did(run: Run) -> None:
    Path("dist").mkdir()
    for name in ("b.whl", "a.whl"):
        Path("dist", name).write_bytes(make_zip({"a.pyc": b""}))
    places = [
        line.partition(":")[0] for line in run("check-dist", "dist/*", "dist/a.whl").out.split("\n")
    ]
    assert places[:2] == ["dist/a.whl", "dist/b.whl"]
    assert places[2] == ""
    # A file that bears the name is meant, and not what the name would match.
    Path("x[1].whl").write_bytes(make_zip({"a.pyc": b""}))
    Path("x1.whl").write_bytes(make_zip({}))
    for options in ((), ("--if-any",)):
        assert run("check-dist", *options, "x[1].whl").out.startswith("x[1].whl: PYC311 ")


def test_both_separators_of_windows_name_one_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("dist").mkdir()
    Path("dist", "a.whl").write_bytes(make_zip({"a.pyc": b""}))
    monkeypatch.setattr(os, "sep", "\\")
    monkeypatch.setattr(os.path, "lexists", lambda path: "*" not in path)
    for names in (["dist/a.whl", "dist\\a.whl"], ["dist\\a.whl", "dist/*"]):
        result = run("check-dist", "--quiet", *names)
        assert (result.code, result.out.count("dist/a.whl: PYC311 ")) == (1, 1)


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (
            ["dist/*"],
            f"dist/*: {words_of_missing_file('dist/*')}: build the archives first (`python -m build`)",
        ),
        (["gone.whl"], f"gone.whl: {words_of_missing_file()}"),
        (["."], ".: is a directory"),
        (
            [],
            "the following arguments are required: ARCHIVE (see `pycache-guard check-dist --help`)",
        ),
    ],
)
def test_nothing_to_judge_is_a_failure(run: Run, argv: list[str], error: str) -> None:
    assert run("check-dist", *argv) == (2, "", f"error: {error}\n")


def test_the_others_are_judged_all_the_same(run: Run) -> None:
    Path("a.whl").write_bytes(b"")
    Path("b.whl").write_bytes(make_zip({"b.pyc": b""}))
    result = run("check-dist", "a.whl", "b.whl", "c.whl")
    assert (result.code, messages(result.out)) == (2, ["ships `b.pyc`: bytecode"])
    assert result.err == (
        "error: a.whl: is not a readable zip file: it has no end record\n"
        f"error: c.whl: {words_of_missing_file()}\n"
    )


def test_odd_names_are_shown(run: Run) -> None:
    data = make_tar({decode_posix_name(b"\xff\n.pyc"): b""}, mode="w")
    assert check_archive(run, "a.tar", data) == ["ships `\\xff\\x0a.pyc`: bytecode"]
    assert check_archive(run, "b.zip", make_zip({"p\\__pycache__\\x.pyc": b""})) == [
        "ships `p/__pycache__/x.pyc`: bytecode"
    ]


def test_a_directory_that_hides_members(run: Run) -> None:
    """The comment of the first entry takes in the others; `zipfile` does not mind."""
    data = bytearray(make_zip({"a": b"", "b.pyc": b""}))
    data[data.find(b"PK\x01\x02") + 33] = 0x20
    assert len(zipfile.ZipFile(io.BytesIO(data)).infolist()) == 1
    said = "error: a.zip: is not a readable zip file: its directory is damaged\n"
    assert unjudged(run, "a.zip", bytes(data)) == said


@pytest.mark.unmeasured
def test_many_members(run: Run) -> None:
    """Beyond 65535 the record of zip64 has the number."""
    members = {f"{n}.txt": b"" for n in range(66_000)}
    members["x.pyc"] = b""
    assert check_archive(run, "a.zip", make_zip(members, method=zipfile.ZIP_STORED)) == [
        "ships `x.pyc`: bytecode"
    ]


def test_a_member_without_a_name(run: Run) -> None:
    assert check_archive(run, "a.zip", make_zip({"x": b""}).replace(b"x", b"\0")) == []


def test_a_zip_with_an_odd_local_header_is_read_the_long_way(run: Run) -> None:
    """The content begins farther behind than usual."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        info = zipfile.ZipInfo("logo.png")
        info.extra = struct.pack("<HH", 0xCAFE, 2000) + bytes(2000)
        file.writestr(info, timestamp_member())
    assert check_archive(run, "a.zip", data.getvalue()) == [
        f"ships `logo.png`: {WRITER} under a different name"
    ]


@pytest.mark.parametrize(
    ("argument", "code", "error"),
    [
        ("dist/*", 0, ""),
        ("dist/a.whl", 2, f"error: dist/a.whl: {words_of_missing_file('missing/a.whl')}\n"),
    ],
)
def test_a_hook_has_nothing_to_say_where_nothing_was_built(
    run: Run, argument: str, code: int, error: str
) -> None:
    """A name is a promise, a glob is none."""
    assert run("check-dist", "--quiet", "--if-any", argument) == (code, "", error)


def test_the_configuration_of_the_repository_counts(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    repo.add("pyproject.toml", "[tool.pycache-guard]\nignore = ['PYC311']\n")
    repo.write("a.whl", make_zip({"a.pyc": b""}))
    assert run("check-dist", "a.whl") == CLEAN
    repo.write("b.whl", b"")
    done = run("check-dist", "a.whl", "b.whl")
    assert (done.code, done.out) == (2, "")
    repo.add("pyproject.toml", "[tool.pycache-guard]\nignore = ['PYC001']\n")
    done = run("check-dist", "a.whl")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: pyproject.toml: ")


def test_archives_that_are_not_read_to_the_end_are_counted(run: Run) -> None:
    for name, data in {"a.whl": make_zip({"a.pyc": b""}), "b.whl": b"", "c.whl": b""}.items():
        Path(name).write_bytes(data)
    done = run("check-dist", "a.whl", "b.whl", "c.whl", "gone.whl")
    assert done.code == 2
    assert done.out.endswith("\nFound 1 problem (1 archive checked, 3 not checked to the end).\n")


def test_the_hint_is_shown_once_for_each_archive(run: Run) -> None:
    for name in ("a.whl", "b.whl"):
        Path(name).write_bytes(make_zip({"a.pyc": b"", "b.pyc": b""}))
    done = run("check-dist", "--quiet", "a.whl", "b.whl")
    assert done.out == "".join(
        f"{name}: PYC311 ships `a.pyc`: bytecode; {OTHER}\n{name}: PYC311 ships `b.pyc`: bytecode\n"
        for name in ("a.whl", "b.whl")
    )
    listed = json.loads(run("check-dist", "--format", "json", "a.whl").out)["findings"]
    assert [finding["remedy"] for finding in listed] == [OTHER, OTHER]


def test_many_findings_in_an_archive_are_one_line(run: Run) -> None:
    Path("dist").mkdir()
    Path("dist/a.whl").write_bytes(make_zip({f"{n:02}.pyc": b"" for n in range(11)}))
    assert run("check-dist", "dist/a.whl").out == (
        f"dist/a.whl: PYC311 11 findings, the first: ships `00.pyc`: bytecode; {OTHER}\n"
        "\nFound 11 problems (1 archive checked).\n"
    )
    Path("dist/b.whl").write_bytes(make_zip({"x.pyc": b""}))
    assert run("check-dist", "--quiet", "dist/a.whl", "dist/b.whl").out == (
        f"dist/a.whl: PYC311 11 findings, the first: ships `00.pyc`: bytecode; {OTHER}\n"
        f"dist/b.whl: PYC311 ships `x.pyc`: bytecode; {OTHER}\n"
    )
