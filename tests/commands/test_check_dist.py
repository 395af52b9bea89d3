"""What is told of archives, and what of those that nobody should trust."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archive_maker import SOURCE
from archive_maker import TAG
from archive_maker import hashed
from archive_maker import judged
from archive_maker import special
from archive_maker import tarred
from archive_maker import tarred_special
from archive_maker import timed
from archive_maker import told
from archive_maker import zipped
from pycache_guard.archives import member
from pycache_guard.archives import tars
from pycache_guard.archives import zip_directory
from pycache_guard.archives import zips
from pycache_guard.bytecode.magic import lookup
from pycache_guard.distributions import screening

if TYPE_CHECKING:
    from conftest import Program
    from conftest import Run

HERE = lookup(timed())
assert HERE is not None
WRITER = f"{HERE.implementation} {HERE.version} bytecode"
OTHER = "remove the caches (`pycache-guard clean`) before the archive is built"


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


CLEAN = {"p/m.py": SOURCE, "p/a.pyd": b"", "p/b.so": b"", "p/empty": b"", "p/long": b"x" * 9999}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.whl", zipped(CLEAN)),
        ("a.zip", zipped(CLEAN, method=zipfile.ZIP_STORED)),
        ("a.egg", zipped(CLEAN, method=zipfile.ZIP_BZIP2)),
        ("A.ZIP", zipped(CLEAN, method=zipfile.ZIP_LZMA)),
        ("a.pyz", b"#!/usr/bin/env python3\n" + zipped(CLEAN)),
        ("a.tar", tarred(CLEAN, mode="w")),
        ("a.tar.gz", tarred(CLEAN)),
        ("a.tgz", tarred(CLEAN)),
        ("a.tar.bz2", tarred(CLEAN, mode="w:bz2")),
        ("a.tar.xz", tarred(CLEAN, mode="w:xz")),
        ("no suffix", tarred(CLEAN)),
        ("no suffix", tarred(CLEAN, mode="w")),
        ("no suffix", zipped(CLEAN)),
        ("no.whl", zipped({})),
        ("two.tar.gz", gzip.compress(tarred(CLEAN, mode="w")[:700]) + gzip.compress(tarred(CLEAN, mode="w")[700:]) + bytes(9)),
    ],
)  # fmt: skip
def test_nothing_to_say(run: Run, program: Program, name: str, data: bytes) -> None:
    assert judged(run, name, data) == []
    assert program("check-dist", "--quiet", name, cwd=Path.cwd()) == (0, "", "")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_bytecode_in_a_zip_by_path_and_by_content(run: Run, method: int) -> None:
    members = {
        "m.py": SOURCE,
        TAG: timed(),
        "X.PYC": b"",
        "d/logo.png": timed(),
        "__pycache__/": b"",
    }
    assert judged(run, "a.zip", zipped(members, method=method)) == [
        "ships `X.PYC`: bytecode",
        f"ships `{TAG}`: {WRITER}",
        f"ships `d/logo.png`: {WRITER} under another name",
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_bytecode_in_a_tar(run: Run, mode: str) -> None:
    members = {"d/m.py": SOURCE, f"d/{TAG}": timed(), "d/x": timed(), "d/a.pyc.123": b""}
    assert judged(run, "a.tar", tarred(members, mode=mode)) == [
        f"ships `d/{TAG}`: {WRITER}",
        "ships `d/a.pyc.123`: bytecode",
        f"ships `d/x`: {WRITER} under another name",
    ]


def test_the_whole_report(run: Run, program: Program) -> None:
    Path("a.whl").write_bytes(zipped({"a.pyc": b""}))
    expected = (
        1,
        f"a.whl: PYC311 ships `a.pyc`: bytecode\n\nTo fix:\n    {OTHER}\n",
        "",
    )
    assert run("check-dist", "--quiet", "a.whl") == expected
    assert program("check-dist", "--quiet", "a.whl", cwd=Path.cwd()) == expected


@pytest.mark.parametrize(
    ("source", "bytecode", "doubt"),
    [
        (SOURCE, timed(), ""),
        (SOURCE, timed(size=7), ", not of its source: `m.py` has 6 bytes, and had 7"),
        (SOURCE, hashed(), ""),
        (SOURCE, hashed(b"other"), ", not of its source: `m.py` has another hash"),
        (
            SOURCE,
            hashed(checked=False),
            ", unchecked-hash: Python runs it without ever looking at the source",
        ),
        (
            SOURCE,
            hashed(b"other", checked=False),
            (
                ", unchecked-hash: Python runs it without ever looking at the source,"
                " not of its source: `m.py` has another hash"
            ),
        ),
    ],
)
def test_bytecode_against_its_source(run: Run, source: bytes, bytecode: bytes, doubt: str) -> None:
    expected = [f"ships `{TAG}`: {WRITER}{doubt}"]
    assert judged(run, "a.zip", zipped({"m.py": source, TAG: bytecode})) == expected
    assert judged(run, "b.tar", tarred({TAG: bytecode, "m.py": source}, mode="w")) == expected


def test_a_format_without_a_header_is_compared_with_nothing(run: Run) -> None:
    members = {"m.py": SOURCE, "m$py.class": b"\xca\xfe\xba\xbe" + bytes(60)}
    why = (
        "cannot be compared: Jython's: a Java class, which runs if it is not older than its source"
    )
    assert judged(run, "a.zip", zipped(members)) == [
        f"ships `m$py.class`: Jython 2.7 bytecode, {why}"
    ]


def test_times_count_where_the_builder_left_them(run: Run) -> None:
    members = {"m.py": SOURCE, TAG: timed(5)}
    assert judged(run, "alike.tar.gz", tarred(members)) == [f"ships `{TAG}`: {WRITER}"]
    assert judged(run, "left.tar.gz", tarred(members, mtimes={TAG: 2000})) == [
        f"ships `{TAG}`: {WRITER}, not of its source: `m.py` has another time"
    ]
    members[TAG] = timed(1000)
    assert judged(run, "fit.tar.gz", tarred(members, mtimes={TAG: 2000})) == [
        f"ships `{TAG}`: {WRITER}"
    ]


def test_a_record_that_lists_what_is_not_there(run: Run) -> None:
    record = b'm.py,,\n"a, b/__pycache__/gone.cpython-311.pyc",sha256=x,1\n\na.pyc,,\n'
    members = {"a.pyc": b"", "d-1.dist-info/RECORD": record}
    assert judged(run, "a.whl", zipped(members)) == [
        "its RECORD lists `a, b/__pycache__/gone.cpython-311.pyc`, which is not in it",
        "ships `a.pyc`: bytecode",
    ]


def test_archives_in_it(run: Run) -> None:
    inner = zipped({TAG: timed(size=7), "m.py": SOURCE})
    members = {"d/in.whl": inner, "d/docx": inner, "s.tar.gz": tarred({"a.pyc": b""})}
    doubt = ", not of its source: `m.py` has 6 bytes, and had 7"
    expected = [
        f"ships `d/docx!{TAG}`: {WRITER}{doubt}",
        f"ships `d/in.whl!{TAG}`: {WRITER}{doubt}",
        "ships `s.tar.gz!a.pyc`: bytecode",
    ]
    assert judged(run, "a.zip", zipped(members)) == expected
    assert judged(run, "a.tar.gz", tarred(members)) == expected


def test_archives_in_those_are_not_looked_into(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = zipped({"a.zip": zipped({"a.pyc": b""})})
    said = unjudged(run, "x.zip", zipped({"b.zip": inner, "c.zip": b"junk"}))
    assert said == (
        "error: x.zip: b.zip!a.zip: is an archive in an archive in an archive: not looked into\n"
        "error: x.zip: c.zip: is no zip file that can be read: it has no end record\n"
    )
    nested = zipped({"a.pyc": b""})
    monkeypatch.setattr(screening, "LARGEST_NESTED", len(nested))
    assert judged(run, "x.zip", zipped({"b.zip": nested})) == ["ships `b.zip!a.pyc`: bytecode"]
    monkeypatch.setattr(screening, "LARGEST_NESTED", 10)
    assert "b.zip: is an archive of more than 0 MiB: not looked into" in unjudged(
        run, "x.zip", zipped({"b.zip": inner})
    )


NAMES = ["../a.py", "/a.py", "\\a.py", "C:/a.py", "d/../../a.py", "..\\a.py"]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_that_leads_out(run: Run, name: str) -> None:
    for file, data in {
        "a.zip": zipped({name: SOURCE}),
        "a.tar": tarred({name: SOURCE}, mode="w"),
    }.items():
        said = unjudged(run, file, data)
        assert said.startswith(f"error: {file}: ")
        assert said.endswith(": leads out of the archive\n")


def test_links(run: Run) -> None:
    inside = {"d/l": "../m", "d/k": "./x/../y"}
    assert judged(run, "a.zip", zipped({}, links=inside)) == []
    assert judged(run, "p.zip", zipped({}, links={"a.pyc": "b"})) == ["ships `a.pyc`: bytecode"]
    out = "error: a.zip: d/l: leads out of the archive\n"
    assert unjudged(run, "a.zip", zipped({}, links={"d/l": "../../m"})) == out
    assert unjudged(run, "a.zip", zipped({}, links={"d/l": "/m"})) == out
    soft, hard = special("d/l", tarfile.SYMTYPE, "../m"), special("d/h", tarfile.LNKTYPE, "d/l")
    fifo, directory = special("d/f", tarfile.FIFOTYPE), special("d/__pycache__", tarfile.DIRTYPE)
    assert judged(run, "a.tar", tarred_special(soft, hard, fifo, directory)) == []
    assert judged(run, "a.tar", tarred_special(special("a.pyc", tarfile.LNKTYPE, "b"))) == [
        "ships `a.pyc`: bytecode"
    ]
    for target in (
        special("d/l", tarfile.SYMTYPE, "../../m"),
        special("d/l", tarfile.LNKTYPE, "../m"),
    ):
        assert unjudged(run, "a.tar", tarred_special(target)) == out.replace("zip", "tar")


def test_encrypted(run: Run) -> None:
    data = bytearray(zipped({"a.py": SOURCE, "b.pyc": b""}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for start in (data.find(signature), data.rfind(signature)):
            data[start + at] |= 1
    Path("a.zip").write_bytes(data)
    assert run("check-dist", "--quiet", "a.zip") == (
        2,
        f"a.zip: PYC311 ships `b.pyc`: bytecode\n\nTo fix:\n    {OTHER}\n",
        "error: a.zip: a.py: is encrypted\nerror: a.zip: b.pyc: is encrypted\n",
    )


def test_names_that_disagree(run: Run) -> None:
    """An installer that goes by local headers would see another file."""
    data = zipped({"a.txt": b"x" * 100}).replace(b"a.txt", b"a.pyc", 1)
    said = unjudged(run, "a.zip", data)
    assert said == "error: a.zip: a.txt: has another name in its header than in the directory\n"


def overwritten(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return `data` with the one `old` replaced."""
    assert data.count(old) == 1
    return data.replace(old, new)


TAR = tarred({"a.py": SOURCE, "b.py": SOURCE, "c.txt": b""}, mode="w")
ZIP = zipped({"a.py": SOURCE, "b.py": b"y" * 500})


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.whl", b"", "is no zip file that can be read: it has no end record"),
        ("a.whl", ZIP[:-30], "is no zip file that can be read: it has no end record"),
        (
            "a.whl",
            overwritten(ZIP, b"PK\x05\x06", b"PK\x05\x07"),
            "is no zip file that can be read",
        ),
        (
            "a.whl",
            ZIP.replace(b"PK\x01\x02", b"PK\x01\x01"),
            "is no zip file that can be read: its directory is damaged",
        ),
        (
            "a.whl",
            ZIP.replace(b"PK\x03\x04", b"PK\x03\x05", 1),
            "a.py: is damaged: no header stands where the directory says",
        ),
        (
            "a.whl",
            ZIP.replace(b"b.py", b"\xff.py", 1),
            "b.py: has another name in its header than in the directory",
        ),
        ("a.tar.gz", b"", "is no tar file that can be read: it has no header at its start"),
        (
            "a.tar.gz",
            gzip.compress(b""),
            "is no tar file that can be read: it has no header at its start",
        ),
        ("a.tar.gz", gzip.compress(TAR)[:-9], "it ends before its end marker"),
        ("a.tar.gz", gzip.compress(TAR)[:-4] + b"\0" * 4, "incorrect length check"),
        ("a.tar.gz", gzip.compress(TAR) + b"junk", "incorrect header check"),
        ("a.tar.xz", lzma.compress(TAR)[:-20], "it ends before its end marker"),
        ("a.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(99), "is compressed by zstd, which Python reads"),
        ("a.tar", b"\x01" * 1024, "is no tar file that can be read"),
        ("a.tar", TAR[:600], "is cut short, or damaged in its middle"),
        ("a.tar", TAR[:1024], "is cut short, or damaged in its middle"),
        ("a.tar", TAR[:1030] + b"~" + TAR[1031:], "is cut short, or damaged in its middle"),
        ("a.tar", tarred({"a": b""}, mode="w") + TAR, "holds more after its end"),
        ("a.txt", b"text", "is no archive that is known: a zip file or a tar file"),
    ],
)
def test_damage_is_told_in_a_line(run: Run, name: str, data: bytes, why: str) -> None:
    if name == "a.tar.zst" and hasattr(zipfile, "ZIP_ZSTANDARD"):
        why = "is no tar file that can be read"
    said = unjudged(run, name, data)
    assert said.startswith(f"error: {name}: ")
    assert why in said
    assert said.count("\n") == 1


def test_what_was_found_before_the_damage_is_told(run: Run) -> None:
    Path("a.tar").write_bytes(tarred({"a.pyc": timed(), "b": b""}, mode="w")[:1600])
    result = run("check-dist", "a.tar")
    assert (result.code, told(result.out)) == (2, [f"ships `a.pyc`: {WRITER}"])
    assert result.err == "error: a.tar: is cut short, or damaged in its middle\n"


def test_a_damaged_member(run: Run) -> None:
    data = zipped({"a.py": SOURCE, "b.pyc": b""}, method=zipfile.ZIP_LZMA)
    at = data.find(SOURCE[:2])
    assert at < 0
    start = data.find(b"a.py") + 13
    broken = data[:start] + bytes([data[start] ^ 0xFF]) + data[start + 1 :]
    Path("a.zip").write_bytes(broken)
    result = run("check-dist", "a.zip")
    assert (result.code, told(result.out)) == (2, ["ships `b.pyc`: bytecode"])
    assert result.err.startswith("error: a.zip: a.py: is damaged: ")


def test_a_source_that_cannot_be_read(run: Run) -> None:
    """It is told once, whatever comes from it."""
    source, older = bytes(range(256)) * 2, TAG.replace("311", "310")
    members = {older: hashed(source), TAG: hashed(source), "m.py": source}
    data = bytearray(zipped(members, method=zipfile.ZIP_STORED))
    data[data.rfind(bytes(range(256))) + 255] ^= 1
    Path("a.zip").write_bytes(data)
    result = run("check-dist", "a.zip")
    expected = [f"ships `{name}`: {WRITER}" for name in (older, TAG)]
    assert (result.code, told(result.out)) == (2, expected)
    assert (
        result.err
        == "error: a.zip: m.py: is damaged: it has another size or checksum than the directory says\n"
    )


def test_bombs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "FREE_OF_RATIO", 1 << 20)
    zeros = {"z": bytes(3 << 20)}
    bomb = "grows more than 200-fold beyond 1 MiB: a bomb?\n"
    assert unjudged(run, "a.zip", zipped(zeros)) == f"error: a.zip: {bomb}"
    assert unjudged(run, "a.tar.gz", tarred(zeros)) == f"error: a.tar.gz: {bomb}"
    assert unjudged(run, "a.tar.xz", tarred(zeros, mode="w:xz")) == f"error: a.tar.xz: {bomb}"
    assert judged(run, "a.tar", tarred(zeros, mode="w")) == []
    monkeypatch.setattr(member, "LARGEST_TOTAL", 1 << 20)
    whole = "holds more than 0 GiB: not judged to its end\n"
    assert unjudged(run, "a.tar", tarred(zeros, mode="w")) == f"error: a.tar: {whole}"


def test_too_many_members(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MOST_MEMBERS", 2)
    monkeypatch.setattr(tars, "MOST_MEMBERS", 2)
    members = {"a": b"", "b": b"", "c": b""}
    assert unjudged(run, "a.zip", zipped(members)) == "error: a.zip: has 3 members, more than 2\n"
    assert unjudged(run, "a.tar", tarred(members)) == "error: a.tar: has more than 2 members\n"
    monkeypatch.setattr(zips, "MOST_MEMBERS", 3)
    monkeypatch.setattr(tars, "MOST_MEMBERS", 3)
    assert judged(run, "a.zip", zipped(members)) == judged(run, "a.tar", tarred(members)) == []


def test_what_is_read_whole_has_a_bound(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    header = special("x", tarfile.XHDTYPE)
    header.size = 1 << 33
    data = header.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
    said = "error: a.tar: has a header of 8589934592 bytes, more than 10 KiB\n"
    assert unjudged(run, "a.tar", data) == said
    monkeypatch.setattr(zip_directory, "LARGEST_READ", 50)
    said = "error: a.zip: has a directory of 102 bytes, more than 0 MiB\n"
    assert unjudged(run, "a.zip", zipped({"a": b"", "name" * 2: b""})) == said.replace(
        "102", str(2 * 46 + 9)
    )


def test_a_chain_of_headers_has_an_end(run: Run) -> None:
    link = special("x", tarfile.GNUTYPE_LONGNAME)
    assert "has a long name that readers read in different ways" in unjudged(
        run, "a.tar", link.tobuf() * 5000
    )


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"x" * 200_000, "a line of more than 131072 bytes"),
        (b'"' + b"x\n" * 100_000, "field larger than field limit (131072)"),
    ],
)
def test_a_record_that_is_not_a_list_is_refused(run: Run, record: bytes, why: str) -> None:
    said = unjudged(run, "a.whl", zipped({"d.dist-info/RECORD": record}))
    assert said == f"error: a.whl: d.dist-info/RECORD: is no list of files: {why}\n"


def test_the_last_line_of_a_record_needs_no_end(run: Run) -> None:
    assert judged(run, "a.whl", zipped({"d.dist-info/RECORD": b"a,,\nb.pyc,,"})) == [
        "its RECORD lists `b.pyc`, which is not in it"
    ]


def test_ignored_findings_are_not_reported(run: Run) -> None:
    Path("a.whl").write_bytes(zipped({"a.pyc": b""}))
    assert run("check-dist", "--ignore", "PYC311", "a.whl") == (0, "", "")
    assert run("check-dist", "--ignore", "PYC207", "a.whl").code == 1
    Path("b.whl").write_bytes(b"")
    assert run("check-dist", "--ignore", "PYC311", "a.whl", "b.whl").code == 2
    result = run("check-dist", "--ignore", "PYC001", "a.whl")
    assert result.code == 2
    assert result.err.startswith('error: --ignore: "PYC001" cannot be ignored')


def test_globs_are_expanded_where_no_shell_did(run: Run) -> None:
    Path("dist").mkdir()
    for name in ("b.whl", "a.whl"):
        Path("dist", name).write_bytes(zipped({"a.pyc": b""}))
    places = [
        line.partition(":")[0] for line in run("check-dist", "dist/*", "dist/a.whl").out.split("\n")
    ]
    separator = os.sep
    assert places[:2] == [f"dist{separator}a.whl", f"dist{separator}b.whl"]
    assert places[2] == ""
    # A file that bears the name is meant, and not what the name would match.
    Path("x[1].whl").write_bytes(zipped({"a.pyc": b""}))
    Path("x1.whl").write_bytes(zipped({}))
    for options in ((), ("--if-any",)):
        assert run("check-dist", *options, "x[1].whl").out.startswith("x[1].whl: PYC311 ")


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (
            ["dist/*"],
            "dist/*: No such file or directory: build the archives first (`python -m build`)",
        ),
        (["gone.whl"], "gone.whl: No such file or directory"),
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
    Path("b.whl").write_bytes(zipped({"b.pyc": b""}))
    result = run("check-dist", "a.whl", "b.whl", "c.whl")
    assert (result.code, told(result.out)) == (2, ["ships `b.pyc`: bytecode"])
    assert result.err == (
        "error: a.whl: is no zip file that can be read: it has no end record\n"
        "error: c.whl: No such file or directory\n"
    )


def test_odd_names_are_shown(run: Run) -> None:
    data = tarred({os.fsdecode(b"\xff\n.pyc"): b""}, mode="w")
    assert judged(run, "a.tar", data) == ["ships `\\xff\\x0a.pyc`: bytecode"]
    assert judged(run, "b.zip", zipped({"p\\__pycache__\\x.pyc": b""})) == [
        "ships `p/__pycache__/x.pyc`: bytecode"
    ]


def test_a_directory_that_hides_members(run: Run) -> None:
    """The comment of the first entry takes in the others; `zipfile` does not mind."""
    data = bytearray(zipped({"a": b"", "b.pyc": b""}))
    data[data.find(b"PK\x01\x02") + 33] = 0x20
    assert len(zipfile.ZipFile(io.BytesIO(data)).infolist()) == 1
    said = "error: a.zip: is no zip file that can be read: its directory is damaged\n"
    assert unjudged(run, "a.zip", bytes(data)) == said


def test_many_members(run: Run) -> None:
    """Beyond 65535 the record of zip64 has the number."""
    members = {f"{n}.txt": b"" for n in range(66_000)}
    members["x.pyc"] = b""
    assert judged(run, "a.zip", zipped(members, method=zipfile.ZIP_STORED)) == [
        "ships `x.pyc`: bytecode"
    ]


def test_a_member_without_a_name(run: Run) -> None:
    assert judged(run, "a.zip", zipped({"x": b""}).replace(b"x", b"\0")) == []


def test_a_zip_with_an_odd_local_header_is_read_the_long_way(run: Run) -> None:
    """The content begins farther behind than usual."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        info = zipfile.ZipInfo("logo.png")
        info.extra = struct.pack("<HH", 0xCAFE, 2000) + bytes(2000)
        file.writestr(info, timed())
    assert judged(run, "a.zip", data.getvalue()) == [
        f"ships `logo.png`: {WRITER} under another name"
    ]


@pytest.mark.parametrize(
    ("argument", "code", "error"),
    [
        ("dist/*", 0, ""),
        ("dist/a.whl", 2, "error: dist/a.whl: No such file or directory\n"),
    ],
)
def test_a_hook_has_nothing_to_say_where_nothing_was_built(
    run: Run, argument: str, code: int, error: str
) -> None:
    """A name is a promise, a glob is none."""
    assert run("check-dist", "--quiet", "--if-any", argument) == (code, "", error)
