"""Archives whose bytecode is not what the source beside it compiles to."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import (
    check_archive,
    make_special_tar,
    make_tar,
    make_zip,
    messages,
    special_member,
)
from helpers.make_pyc import (
    COMPILER,
    EVIL,
    INNOCENT,
    OTHER_TAG,
    TAG,
    WRITER,
    cache_path,
    compile_source,
    describe_greeting,
    foreign_pyc,
    forged_pyc,
    hash_pyc,
    matching_pyc,
)
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.dist import compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Run

SOURCE = INNOCENT.encode()
SHIPPED = f"{WRITER} bytecode"
UNCHECKED = ", unchecked-hash: Python runs it without checking the source"
DIFFERS = f", does not match its source: it is not what {COMPILER} compiles m.py to: {describe_greeting()} differs"
NEVER = f"{DIFFERS}. Python runs it, because its flags disable the check of the source"
OTHER = foreign_pyc(OTHER_TAG)
OTHER = OTHER[:8] + matching_pyc()[8:16] + OTHER[16:]
OTHER_MAGIC = identify_magic(OTHER)
assert OTHER_MAGIC is not None


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)


def in_every_order(members: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """Return archives of them, bytecode first and source first."""
    turned = dict(reversed([*members.items()]))
    return [
        ("a.zip", make_zip(members)),
        ("b.zip", make_zip(turned)),
        ("a.tar.gz", make_tar(members)),
        ("b.tar", make_tar(turned, mode="w")),
    ]


@pytest.mark.parametrize(
    ("bytecode", "words"),
    [
        (hash_pyc(compile_source(EVIL), SOURCE, checked=False), f"{UNCHECKED}{NEVER}"),
        (
            hash_pyc(compile_source(EVIL), SOURCE, checked=True),
            f"{DIFFERS}. Python runs it, because the hash matches its source",
        ),
        (
            forged_pyc(),
            f"{DIFFERS}. Python may run it, because the size matches its source, and anyone can set the time",
        ),
        (hash_pyc(compile_source(INNOCENT), SOURCE, checked=False), UNCHECKED),
        (hash_pyc(compile_source(INNOCENT), SOURCE, checked=True), ""),
        (matching_pyc(), ""),
        (matching_pyc() + b"x", ", not well-formed: 1 bytes after the code"),
    ],
)
def test_bytecode_is_compared_with_its_source(run: Run, bytecode: bytes, words: str) -> None:
    for name, data in in_every_order({cache_path(): bytecode, "m.py": SOURCE}):
        assert check_archive(run, name, data) == [f"ships `{cache_path()}`: {SHIPPED}{words}"]


def test_bytecode_in_nested_archive_is_compared(run: Run) -> None:
    evil = hash_pyc(compile_source(EVIL), SOURCE, checked=False)
    inner = make_zip({cache_path(): evil, "m.py": SOURCE})
    assert check_archive(
        run, "a.zip", make_zip({"in.whl": inner, cache_path(): matching_pyc(), "m.py": SOURCE})
    ) == [
        f"ships `{cache_path()}`: {SHIPPED}",
        f"ships `in.whl!{cache_path()}`: {SHIPPED}{UNCHECKED}{NEVER}",
    ]


def test_matching_bytecode_of_every_level_has_no_mismatch(run: Run) -> None:
    members = {cache_path(more=f".opt-{level}"): matching_pyc(level=level) for level in (1, 2)}
    members |= {"m.pyc": matching_pyc(level=2), "m.py": SOURCE, "n.pyc": forged_pyc()}
    for name, data in in_every_order(members):
        assert check_archive(run, name, data) == [
            f"ships `{path}`: {SHIPPED}" for path in sorted(members) if path != "m.py"
        ]


def test_source_that_does_not_compile_is_a_mismatch(run: Run) -> None:
    source = b"def greet(:\n"
    evil = hash_pyc(compile_source(EVIL), source, checked=False)
    (words,) = check_archive(run, "a.zip", make_zip({cache_path(): evil, "m.py": source}))
    assert (
        f"{UNCHECKED}, does not match its source: its source does not compile with {COMPILER}"
        in words
    )


def test_mismatch_in_the_header_is_not_compared_again(run: Run) -> None:
    words = f", does not match its source: `m.py` has 0 bytes, not {len(SOURCE)} as when it was compiled"
    members = {cache_path(): forged_pyc(), "m.py": b""}
    assert check_archive(run, "a.zip", make_zip(members)) == [
        f"ships `{cache_path()}`: {SHIPPED}{words}"
    ]


@pytest.mark.usefixtures("only_this_python")
@pytest.mark.parametrize(
    ("name", "bytecode", "writer", "why"),
    [
        (
            f"__pycache__/m.{OTHER_TAG}.pyc",
            OTHER,
            f"CPython {OTHER_MAGIC.version} bytecode",
            f"no CPython {OTHER_MAGIC.version} with magic number {OTHER_MAGIC.number} is available",
        ),
        (
            f"__pycache__/m.{TAG}-pytest-8.0.0.pyc",
            matching_pyc(),
            SHIPPED,
            "pytest 8.0.0 has rewritten its assertions",
        ),
    ],
)
def test_uncomparable_bytecode_is_reported_with_reason(
    run: Run, name: str, bytecode: bytes, writer: str, why: str
) -> None:
    members = {name: bytecode, "m.py": SOURCE}
    expected = [f"ships `{name}`: {writer}, cannot be compared: {why}"]
    assert check_archive(run, "a.zip", make_zip(members)) == expected


@pytest.mark.parametrize(("short", "compared"), [(0, 2), (1, 1), (len(forged_pyc()) + 1, 0)])
def test_bytecode_beyond_the_memory_limit_is_skipped(
    run: Run, monkeypatch: pytest.MonkeyPatch, short: int, compared: int
) -> None:
    """A source that two have in common takes its room once."""
    names = [cache_path(), "m.pyc"]
    room = 2 * len(forged_pyc()) + len(SOURCE) - short
    monkeypatch.setattr(compare, "MAX_HELD_BYTES", room)
    crowded = ", cannot be compared: more than 0 MiB with what comes first"
    why = "because the size matches its source, and anyone can set the time"
    when = ("may run it", "runs it if the source is removed, or from a zip file")
    members = {**dict.fromkeys(names, forged_pyc()), "m.py": SOURCE}
    for file, data in (("a.zip", make_zip(members)), ("a.tar", make_tar(members, mode="w"))):
        assert check_archive(run, file, data) == [
            f"ships `{name}`: {SHIPPED}"
            + (f"{DIFFERS}. Python {when[n]}, {why}" if n < compared else crowded)
            for n, name in enumerate(names)
        ]


def test_duplicate_members_are_compared_by_the_last(run: Run) -> None:
    """As it does where they are unpacked; another size does not mislead."""
    for first, last, words in (
        (forged_pyc(), matching_pyc(), ""),
        (matching_pyc("x = 1\n"), matching_pyc(), ""),
        (matching_pyc(), forged_pyc(), DIFFERS),
    ):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as file:
            for name, content in ((cache_path(), first), ("m.py", SOURCE), (cache_path(), last)):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
        (said,) = check_archive(run, "a.tar", data.getvalue())
        assert said.partition(". ")[0] == f"ships `{cache_path()}`: {SHIPPED}{words}"


def test_bytecode_with_several_sources_is_compared_with_the_likeliest(run: Run) -> None:
    """In a tree of PYTHONPYCACHEPREFIX there may be more than one."""
    name = f"cache/x/m.{TAG}.pyc"
    members = {"m.py": EVIL.encode(), name: matching_pyc(), "x/m.py": SOURCE}
    for file, data in in_every_order(members):
        assert check_archive(run, file, data) == [f"ships `{name}`: {SHIPPED}"]


def test_link_is_not_taken_for_a_source(run: Run) -> None:
    """Where it leads is not read."""
    bytecode = special_member(cache_path(), tarfile.REGTYPE)
    data = io.BytesIO(matching_pyc())
    bytecode.size = len(data.getvalue())
    link = make_special_tar(special_member("m.py", tarfile.SYMTYPE, "n.py"))
    whole = bytecode.tobuf() + data.getvalue().ljust(-(-bytecode.size // 512) * 512, b"\0") + link
    assert check_archive(run, "a.tar", whole) == [f"ships `{cache_path()}`: {SHIPPED}"]


def test_damaged_member_is_a_failure(run: Run) -> None:
    members = {cache_path(): forged_pyc(), "m.py": SOURCE}
    for at, name in ((b"HELLO", cache_path()), (b"hello", "m.py")):
        data = bytearray(make_zip(members, method=zipfile.ZIP_STORED))
        data[data.find(at)] ^= 1
        Path("a.zip").write_bytes(data)
        result = run("check-dist", "a.zip")
        assert (result.code, messages(result.out)) == (2, [f"ships `{cache_path()}`: {SHIPPED}"])
        assert (
            result.err
            == f"error: a.zip: {name}: is damaged: its size or checksum differs from the directory\n"
        )


@pytest.mark.parametrize(
    ("members", "pays"),
    [
        ({"m.py": SOURCE}, False),
        ({cache_path(): matching_pyc(), "n.py": SOURCE}, False),
        ({cache_path(): matching_pyc(), "m.py": b""}, False),
        ({cache_path(): matching_pyc(), "m.py": SOURCE}, True),
    ],
)
def test_comparison_is_imported_only_for_bytecode_with_source(
    members: Mapping[str, bytes], pays: bool
) -> None:
    Path("a.zip").write_bytes(make_zip(members))
    code = "import sys; from pycache_guard.cli import main; main(['check-dist', 'a.zip'])"
    listing = "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {listing}"], capture_output=True, check=True
    )
    engine = ["pycache_guard.verify", "pycache_guard.interpreters"]
    if sys.implementation.name == "cpython":  # PyPy needs it for itself
        engine.append("subprocess")
    imported = done.stderr.decode().split()
    assert {name in imported for name in engine} == {pays}


def test_duplicate_member_of_another_size_is_not_kept(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for the last alone."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(cache_path(), matching_pyc() + b"surplus")
        file.writestr("m.py", SOURCE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr(cache_path(), matching_pyc())
    monkeypatch.setattr(compare, "MAX_HELD_BYTES", len(matching_pyc()) + len(SOURCE))
    assert check_archive(run, "a.zip", data.getvalue()) == [f"ships `{cache_path()}`: {SHIPPED}"]


@pytest.mark.parametrize(("most", "compared"), [(2, 2), (1, 1), (0, 0)])
def test_compilations_of_one_source_are_limited(
    run: Run, monkeypatch: pytest.MonkeyPatch, most: int, compared: int
) -> None:
    """A source may have any number of files, and is compiled for each of them."""
    monkeypatch.setattr(compare, "MAX_COMPILED_BYTES", most * len(SOURCE))
    members = {
        cache_path(): matching_pyc(),
        cache_path(more=".opt-1"): matching_pyc(level=1),
        "m.py": SOURCE,
    }
    found = check_archive(run, "a.zip", make_zip(members))
    assert len([words for words in found if "cannot be compared" not in words]) == compared
