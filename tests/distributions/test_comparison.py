"""Archives whose bytecode is not what the source beside it compiles to."""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archive_maker import judged
from archive_maker import special
from archive_maker import tarred
from archive_maker import tarred_special
from archive_maker import told
from archive_maker import zipped
from pycache_guard.bytecode.magic import lookup
from pycache_guard.distributions import pairs
from pycs import EVIL
from pycs import INNOCENT
from pycs import TAG
from pycs import by_hash
from pycs import cached
from pycs import compiled
from pycs import foreign
from pycs import forged
from pycs import honest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Run

SOURCE = INNOCENT.encode()
HERE = lookup(honest())
assert HERE is not None
WRITER = f"{HERE.implementation} {HERE.version} bytecode"
COMPILER = f"{HERE.implementation} {platform.python_version()}"
UNCHECKED = ", unchecked-hash: Python runs it without ever looking at the source"
DIFFERS = (
    f", not of its source: it is not what {COMPILER} compiles m.py to: consts[1] of greet differs"
)
NEVER = f"{DIFFERS}. Python runs it, because its flags say never to look at the source"
NEWER = foreign("cpython-314")
NEWER = NEWER[:8] + honest()[8:16] + NEWER[16:]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)


def in_every_order(members: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """Return archives of them, bytecode first and source first."""
    turned = dict(reversed([*members.items()]))
    return [
        ("a.zip", zipped(members)),
        ("b.zip", zipped(turned)),
        ("a.tar.gz", tarred(members)),
        ("b.tar", tarred(turned, mode="w")),
    ]


@pytest.mark.parametrize(
    ("bytecode", "words"),
    [
        (by_hash(compiled(EVIL), SOURCE, checked=False), f"{UNCHECKED}{NEVER}"),
        (
            by_hash(compiled(EVIL), SOURCE, checked=True),
            f"{DIFFERS}. Python runs it, because the hash is its source's",
        ),
        (
            forged(),
            f"{DIFFERS}. Python may run it, because the size is its source's; the time can be made so",
        ),
        (by_hash(compiled(INNOCENT), SOURCE, checked=False), UNCHECKED),
        (by_hash(compiled(INNOCENT), SOURCE, checked=True), ""),
        (honest(), ""),
        (honest() + b"x", ", not well-formed: 1 bytes behind the code"),
    ],
)
def test_the_code_is_compared(run: Run, bytecode: bytes, words: str) -> None:
    for name, data in in_every_order({cached(): bytecode, "m.py": SOURCE}):
        assert judged(run, name, data) == [f"ships `{cached()}`: {WRITER}{words}"]


def test_in_an_archive_in_it_too(run: Run) -> None:
    evil = by_hash(compiled(EVIL), SOURCE, checked=False)
    inner = zipped({cached(): evil, "m.py": SOURCE})
    assert judged(run, "a.zip", zipped({"in.whl": inner, cached(): honest(), "m.py": SOURCE})) == [
        f"ships `{cached()}`: {WRITER}",
        f"ships `in.whl!{cached()}`: {WRITER}{UNCHECKED}{NEVER}",
    ]


def test_honest_ones_of_every_level(run: Run) -> None:
    members = {cached(more=f".opt-{level}"): honest(level=level) for level in (1, 2)}
    members |= {"m.pyc": honest(level=2), "m.py": SOURCE, "n.pyc": forged()}
    for name, data in in_every_order(members):
        assert judged(run, name, data) == [
            f"ships `{path}`: {WRITER}" for path in sorted(members) if path != "m.py"
        ]


def test_a_source_that_does_not_compile(run: Run) -> None:
    source = b"def greet(:\n"
    evil = by_hash(compiled(EVIL), source, checked=False)
    (words,) = judged(run, "a.zip", zipped({cached(): evil, "m.py": source}))
    assert f"{UNCHECKED}, not of its source: its source does not compile with {COMPILER}" in words


def test_what_the_header_speaks_against_is_not_compared_as_well(run: Run) -> None:
    words = f", not of its source: `m.py` has 0 bytes, and had {len(SOURCE)}"
    members = {cached(): forged(), "m.py": b""}
    assert judged(run, "a.zip", zipped(members)) == [f"ships `{cached()}`: {WRITER}{words}"]


@pytest.mark.parametrize(
    ("name", "bytecode", "writer", "why"),
    [
        (
            "__pycache__/m.cpython-314.pyc",
            NEWER,
            "CPython 3.14 bytecode",
            "there is no CPython 3.14 here with magic number 3627",
        ),
        (
            f"__pycache__/m.{TAG}-pytest-8.0.0.pyc",
            honest(),
            WRITER,
            "pytest 8.0.0 has rewritten its assertions",
        ),
    ],
)
def test_what_cannot_be_compared(
    run: Run, name: str, bytecode: bytes, writer: str, why: str
) -> None:
    members = {name: bytecode, "m.py": SOURCE}
    expected = [f"ships `{name}`: {writer}, cannot be compared: {why}"]
    assert judged(run, "a.zip", zipped(members)) == expected


@pytest.mark.parametrize(("short", "compared"), [(0, 2), (1, 1), (len(forged()) + 1, 0)])
def test_room_is_bounded(
    run: Run, monkeypatch: pytest.MonkeyPatch, short: int, compared: int
) -> None:
    """A source that two have in common takes its room once."""
    names = [cached(), "m.pyc"]
    room = 2 * len(forged()) + len(SOURCE) - short
    monkeypatch.setattr(pairs, "LARGEST_HELD", room)
    crowded = ", cannot be compared: more than 0 MiB with what comes first"
    why = "because the size is its source's; the time can be made so"
    when = ("may run it", "runs it where the source is gone, and out of a zip file")
    members = {**dict.fromkeys(names, forged()), "m.py": SOURCE}
    for file, data in (("a.zip", zipped(members)), ("a.tar", tarred(members, mode="w"))):
        assert judged(run, file, data) == [
            f"ships `{name}`: {WRITER}"
            + (f"{DIFFERS}. Python {when[n]}, {why}" if n < compared else crowded)
            for n, name in enumerate(names)
        ]


def test_the_last_of_one_name_counts(run: Run) -> None:
    """As it does where they are unpacked; another size does not mislead."""
    for first, last, words in (
        (forged(), honest(), ""),
        (honest("x = 1\n"), honest(), ""),
        (honest(), forged(), DIFFERS),
    ):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as file:
            for name, content in ((cached(), first), ("m.py", SOURCE), (cached(), last)):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
        (said,) = judged(run, "a.tar", data.getvalue())
        assert said.partition(". ")[0] == f"ships `{cached()}`: {WRITER}{words}"


def test_the_likeliest_source_is_compared_with(run: Run) -> None:
    """In a tree of PYTHONPYCACHEPREFIX there may be more than one."""
    name = f"cache/x/m.{TAG}.pyc"
    members = {"m.py": EVIL.encode(), name: honest(), "x/m.py": SOURCE}
    for file, data in in_every_order(members):
        assert judged(run, file, data) == [f"ships `{name}`: {WRITER}"]


def test_a_link_is_no_source(run: Run) -> None:
    """Where it leads is not read."""
    bytecode = special(cached(), tarfile.REGTYPE)
    data = io.BytesIO(honest())
    bytecode.size = len(data.getvalue())
    link = tarred_special(special("m.py", tarfile.SYMTYPE, "n.py"))
    whole = bytecode.tobuf() + data.getvalue().ljust(-(-bytecode.size // 512) * 512, b"\0") + link
    assert judged(run, "a.tar", whole) == [f"ships `{cached()}`: {WRITER}"]


def test_a_damaged_member_is_not_compared(run: Run) -> None:
    members = {cached(): forged(), "m.py": SOURCE}
    for at, name in ((b"HELLO", cached()), (b"hello", "m.py")):
        data = bytearray(zipped(members, method=zipfile.ZIP_STORED))
        data[data.find(at)] ^= 1
        Path("a.zip").write_bytes(data)
        result = run("check-dist", "a.zip")
        assert (result.code, told(result.out)) == (2, [f"ships `{cached()}`: {WRITER}"])
        assert (
            result.err
            == f"error: a.zip: {name}: is damaged: it has another size or checksum than the directory says\n"
        )


@pytest.mark.parametrize(
    ("members", "pays"),
    [
        ({"m.py": SOURCE}, False),
        ({cached(): honest(), "n.py": SOURCE}, False),
        ({cached(): honest(), "m.py": b""}, False),
        ({cached(): honest(), "m.py": SOURCE}, True),
    ],
)
def test_only_bytecode_with_its_source_is_paid_for(
    members: Mapping[str, bytes], pays: bool
) -> None:
    Path("a.zip").write_bytes(zipped(members))
    code = "import sys; from pycache_guard.cli import main; main(['check-dist', 'a.zip'])"
    listing = "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {listing}"], capture_output=True, check=True
    )
    engine = ("pycache_guard.verifying", "pycache_guard.compilers", "subprocess")
    imported = done.stderr.decode().split()
    assert [name in imported for name in engine] == [pays] * 3


def test_one_of_the_same_name_and_another_size_is_not_held(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for the last alone."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(cached(), honest() + b"surplus")
        file.writestr("m.py", SOURCE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr(cached(), honest())
    monkeypatch.setattr(pairs, "LARGEST_HELD", len(honest()) + len(SOURCE))
    assert judged(run, "a.zip", data.getvalue()) == [f"ships `{cached()}`: {WRITER}"]


@pytest.mark.parametrize(("most", "compared"), [(2, 2), (1, 1), (0, 0)])
def test_compilations_of_one_source_are_bounded(
    run: Run, monkeypatch: pytest.MonkeyPatch, most: int, compared: int
) -> None:
    """A source may have any number of files, and is compiled for each of them."""
    monkeypatch.setattr(pairs, "LARGEST_COMPILED", most * len(SOURCE))
    members = {cached(): honest(), cached(more=".opt-1"): honest(level=1), "m.py": SOURCE}
    found = judged(run, "a.zip", zipped(members))
    assert len([words for words in found if "cannot be compared" not in words]) == compared
