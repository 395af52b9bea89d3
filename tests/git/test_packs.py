"""Real packs, compared with the blobs in them; then damaged and handmade ones."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import zlib
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.repo import BYTECODE
from pycache_guard.bytecode.sniff import is_enough
from pycache_guard.git import packs
from pycache_guard.git.packs import Head, PackReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from helpers.repo import Repo


def edited_versions(seed: int) -> list[bytes]:
    """Return special files, and a text that is edited again and again at random places."""
    rng = random.Random(seed)
    found = [b"", b"x", BYTECODE, rng.randbytes(700), rng.randbytes(200_000), b"same\n" * 30_000]
    lines = [b"line %d, %d\n" % (n, rng.getrandbits(40)) for n in range(400)]
    for _ in range(60):
        place = rng.choice([rng.randrange(8), rng.randrange(len(lines)), len(lines) - 1])
        change = rng.choice([*["edit", "insert", "delete"] * 10, "turn"])
        if change == "edit":
            lines[place] = rng.randbytes(rng.randrange(200)) + b"\n"
        elif change == "insert":
            lines.insert(place, b"new %d\n" % rng.getrandbits(60))
        elif change == "delete":
            del lines[place]
        else:
            lines = lines[place:] + lines[:place]
        found.append(b"".join(lines))
    return found


def store(repo: Repo, versions: list[bytes]) -> dict[str, bytes]:
    """Commit blobs; return their contents by id."""
    repo.stage_files({f"d/f{n:02}": data for n, data in enumerate(versions)})
    repo.commit()
    lines = repo.git("ls-tree", "-r", "HEAD").splitlines()
    return dict(zip((line.split()[2] for line in lines), versions, strict=True))


def objects_of(repo: Repo) -> Path:
    return repo.path / ".git/objects"


def pack_of(repo: Repo) -> Path:
    (pack,) = objects_of(repo).glob("pack/*.pack")
    return pack


def read_all(objects: Path, blobs: Iterable[str]) -> dict[str, Head | None]:
    """Return what the packs in a directory of objects tell of blobs."""
    ids = [*blobs]
    reader = PackReader(os.fspath(objects), len(ids[0]) // 2)
    found = {blob: reader.read_head(blob) for blob in ids}
    reader.close()
    return found


def count_true(found: dict[str, Head | None], blobs: dict[str, bytes]) -> int:
    """Check that every answer is true; return how many of them are enough to judge a blob."""
    heads = {blob: head for blob, head in found.items() if head}
    for blob, head in heads.items():
        assert head.size == len(blobs[blob])
        assert blobs[blob].startswith(head.data)
    return sum(is_enough(head.data, head.size) for head in heads.values())


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
@pytest.mark.parametrize(
    ("settings", "options"),
    [
        pytest.param([], ["--depth=50", "--window=50"], id="deltas by offset"),
        pytest.param(["-c", "repack.useDeltaBaseOffset=false"], [], id="deltas by name"),
        pytest.param([], ["--depth=0"], id="no deltas"),
        pytest.param(["-c", "pack.compression=0"], ["-F"], id="not compressed"),
    ],
)
def test_answers_are_true(
    make_repo: Callable[..., Repo], kind: str, settings: list[str], options: list[str]
) -> None:
    """Many are enough, although a third of the edits are near the start."""
    for seed in range(3):
        repo = make_repo(f"{seed}", f"--object-format={kind}")
        blobs = store(repo, edited_versions(seed))
        repo.git(*settings, "repack", "-adfq", *options)
        found = read_all(objects_of(repo), blobs)
        assert count_true(found, blobs) >= 0.2 * len(blobs)
        assert None not in found.values()


@pytest.fixture
def blobs(repo: Repo) -> dict[str, bytes]:
    """Pack some blobs in the repository that the test stands in; return them."""
    made = store(repo, edited_versions(7))
    repo.git("repack", "-adfq")
    return made


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_REMEMBERED_COUNT", 2), ("NEAR", 0), ("NEAR", 1), ("HEAD_BYTES", 300)]
)
def test_limits_change_no_answer(
    repo: Repo, blobs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    expected = read_all(objects_of(repo), blobs)
    monkeypatch.setattr(packs, name, value)
    found = read_all(objects_of(repo), blobs)
    assert count_true(found, blobs) >= 0.2 * len(blobs)
    if name != "HEAD_BYTES":
        assert found == expected


def test_blobs_in_no_pack_are_left_to_git(repo: Repo, blobs: dict[str, bytes]) -> None:
    loose = repo.blob("loose")
    assert read_all(objects_of(repo), [loose, "0" * 40, "f" * 40]) == {
        loose: None,
        "0" * 40: None,
        "f" * 40: None,
    }


def test_trees_and_commits_are_left_to_git(repo: Repo, blobs: dict[str, bytes]) -> None:
    others = repo.git("rev-parse", "HEAD", "HEAD^{tree}", "HEAD:d").split()
    assert {*read_all(objects_of(repo), others).values()} == {None}


def test_offsets_of_eight_bytes(repo: Repo, blobs: dict[str, bytes]) -> None:
    """Git writes them beyond 2 GB, and on request beyond any offset."""
    expected = read_all(objects_of(repo), blobs)
    pack = pack_of(repo)
    index = pack.with_suffix(".idx")
    index.chmod(0o644)
    index.unlink()
    repo.git("index-pack", "--index-version=2,0x40", os.fspath(pack))
    assert read_all(objects_of(repo), blobs) == expected


def test_several_packs_are_read(
    repo: Repo, blobs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But if there are too many, none, because another one could have the same blob."""
    small = repo.stage("small", "small")
    repo.commit()
    repo.git("repack", "-dq")
    every = [*blobs, small]
    found = read_all(objects_of(repo), every)
    assert found[small] == Head(5, b"small")
    assert None not in found.values()
    monkeypatch.setattr(packs, "MAX_PACKS", 1)
    assert {*read_all(objects_of(repo), every).values()} == {None}


def test_two_copies_of_a_blob_are_left_to_git(repo: Repo, blobs: dict[str, bytes]) -> None:
    """In a repository that was copied they may differ, and git chooses one."""
    loose, packed, *_ = blobs
    file = objects_of(repo) / loose[:2] / loose[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(b"blob 5\0other"))
    repo.git("pack-objects", "-q", ".git/objects/pack/pack", input=packed.encode())
    found = read_all(objects_of(repo), blobs)
    assert [blob for blob, head in found.items() if head is None] == [loose, packed]


@pytest.mark.parametrize("place", ["a file", "a variable"])
def test_alternates_are_left_to_git(
    repo: Repo, blobs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "a file":
        (objects_of(repo) / "info").mkdir(exist_ok=True)
        (objects_of(repo) / "info/alternates").write_text("/elsewhere\n")
    else:
        monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/elsewhere")
    assert {*read_all(objects_of(repo), blobs).values()} == {None}


def test_a_pack_that_costs_much_is_left_to_git(
    repo: Repo, blobs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For good: it was made to cost time."""
    monkeypatch.setattr(packs, "MAX_READS_PER_BLOB", 0)
    monkeypatch.setattr(packs, "MAX_MORE_READS", 10)
    assert [*read_all(objects_of(repo), blobs).values()][-1] is None
    monkeypatch.setattr(packs, "MAX_MORE_READS", len(blobs))
    assert None not in read_all(objects_of(repo), blobs).values()


def test_long_chains_asked_in_turns_take_little_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each walk from a tip would forget what the walk before it has read."""
    monkeypatch.setattr(packs, "MAX_REMEMBERED_COUNT", 20)
    monkeypatch.setattr(packs, "MAX_MORE_READS", 100)
    objects = {FIRST: WHOLE}
    chains = [[bytes([chain, n]) * 10 for n in range(40)] for chain in range(100, 103)]
    for names in chains:
        for base, name in pairwise([FIRST, *names]):
            objects[name] = stored(7, 4, b"\x64\x64\x90\x64", base)
    write_pack(tmp_path, objects)
    reader = PackReader(os.fspath(tmp_path), 20)
    for turn in zip(*map(reversed, chains), strict=True):
        for name in turn:
            assert reader.read_head(name.hex()) in (Head(100, BASE), None)
            # The limit, and one chain with its base.
            assert all(len(pack._heads) <= 20 + 40 for pack in reader._packs)
    assert sum(pack.reads for pack in reader._packs) <= 100 + 120 * (packs.MAX_READS_PER_BLOB + 1)
    assert reader.read_head(FIRST.hex()) is None
    reader.close()


def damage(kind: str, pack: Path, repo: Repo) -> None:
    """Make a pack or its index unusable."""
    index = pack.with_suffix(".idx")
    data = index.read_bytes()
    for file in (pack, index):
        file.chmod(0o644)
    if kind == "no index":
        index.unlink()
    elif kind == "no pack":
        pack.unlink()
    elif kind == "a pipe":
        index.unlink()
        os.mkfifo(index)
    elif kind == "another pack":
        pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    elif kind == "empty pack":
        pack.write_bytes(b"")
    elif kind == "version 1":
        index.unlink()
        repo.git("index-pack", "--index-version=1", os.fspath(pack))
        assert index.read_bytes()[:8] != packs.INDEX_START
    elif kind == "counts that fall":
        index.write_bytes(data[:8] + b"\xff" + data[9:])
    else:
        cut = {"empty index": 0, "cut in the counts": 500, "cut": len(data) - 41}[kind]
        index.write_bytes(data[:cut])


@pytest.mark.parametrize(
    "kind",
    [
        *("no index", "no pack", "a pipe", "another pack", "empty pack", "version 1"),
        *("counts that fall", "empty index", "cut in the counts", "cut"),
    ],
)
def test_unusable_files_are_left_to_git(repo: Repo, blobs: dict[str, bytes], kind: str) -> None:
    if kind == "a pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    pack = pack_of(repo)
    damage(kind, pack, repo)
    assert {*read_all(objects_of(repo), blobs).values()} == {None}


def test_a_pack_that_is_removed_meanwhile_is_left_to_git(
    repo: Repo, blobs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "find_packs", lambda objects: [f"{objects}/pack/gone"])
    assert {*read_all(objects_of(repo), blobs).values()} == {None}


def test_a_missing_directory_has_no_packs(tmp_path: Path) -> None:
    assert read_all(tmp_path / "none", ["0" * 40]) == {"0" * 40: None}


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_any_changed_byte_is_harmless(make_repo: Callable[..., Repo], suffix: str) -> None:
    """The answer may be wrong, as git's would be, but there is one."""
    repo = make_repo("r")
    texts = [b"".join(b"%d, %d\n" % (n, m) for m in range(30)) for n in range(4)]
    blobs = store(repo, [*texts, *(text + b"more" for text in texts)])
    repo.git("repack", "-adfq")
    pack = pack_of(repo)
    copy = repo.path / "copy"
    shutil.copytree(objects_of(repo) / "pack", copy / "pack")
    target = copy / "pack" / f"{pack.stem}{suffix}"
    target.chmod(0o644)
    data = target.read_bytes()
    rng = random.Random(1)
    places = rng.sample(range(len(data)), min(600, len(data)))
    for place in places:
        target.write_bytes(data[:place] + rng.randbytes(1) + data[place + 1 :])
        assert read_all(copy, blobs).keys() == blobs.keys()


def write_pack(directory: Path, objects: dict[bytes, bytes], *, twice: bytes = b"") -> None:
    """Write a pack of objects as they are stored, each with an id, and its index.

    The id `twice` is there two times.
    """
    start = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")
    places = dict(zip(objects, accumulate(map(len, objects.values()), initial=12), strict=False))
    content = start + b"".join(objects.values())
    checksum = hashlib.sha1(content).digest()  # noqa: S324 - the hash of git
    ids = sorted([*objects, *[twice][: len(twice)]])
    counts = (sum(name[0] <= first for name in ids) for first in range(256))
    (directory / "pack").mkdir(exist_ok=True)
    (directory / "pack/p.pack").write_bytes(content + checksum)
    (directory / "pack/p.idx").write_bytes(
        packs.INDEX_START
        + b"".join(count.to_bytes(4, "big") for count in counts)
        + b"".join(ids)
        + bytes(4 * len(ids))
        + b"".join(places[name].to_bytes(4, "big") for name in ids)
        + checksum
        + bytes(20)
    )


def number(value: int) -> bytes:
    """Write a number with its lowest bits first."""
    low = b""
    while value > 0x7F:
        low += bytes([value & 0x7F | 0x80])
        value >>= 7
    return low + bytes([value])


def stored(kind: int, size: int, data: bytes, base: bytes = b"") -> bytes:
    """Return an object as it is in a pack; the `base` of a delta is a distance or an id."""
    more = number(size >> 4) if size > 15 else b""
    head = bytes([kind << 4 | size & 15 | (0x80 if more else 0)]) + more
    return head + base + zlib.compress(data)


BASE = b"0123456789" * 10
FIRST, SECOND, THIRD = (bytes([n]) * 20 for n in (1, 2, 3))
WHOLE = stored(3, 100, BASE)
#: The distance of an object from the one before it, if that is `WHOLE`.
BEFORE = bytes([len(WHOLE)])


def delta(instructions: bytes, size: int = 5, base_size: int = 100) -> bytes:
    """Return a delta for `BASE`, which is the object before it."""
    data = number(base_size) + number(size) + instructions
    return stored(6, len(data), data, BEFORE)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(stored(3, 3, b"abc"), Head(3, b"abc"), id="a blob"),
        pytest.param(delta(b"\x90\x05"), Head(5, b"01234"), id="a copy"),
        pytest.param(delta(b"\x91\x03\x05"), Head(5, b"34567"), id="a copy from a place"),
        pytest.param(delta(b"\x05hello"), Head(5, b"hello"), id="new bytes"),
        pytest.param(
            delta(b"\x02he\x91\x63\x01\x02lo"), Head(5, b"he9lo"), id="new bytes and a copy"
        ),
        pytest.param(delta(b"\x80", 65536, 100), Head(65536, BASE), id="a copy of size 0"),
        pytest.param(delta(b"\xf0\x05\0\0"), Head(5, b"01234"), id="a size of three bytes"),
        pytest.param(delta(b"\x9f\x01\0\0\0\x05"), Head(5, b"12345"), id="a place of four bytes"),
        pytest.param(delta(b"\x9f\0\0\0\x01\x05"), Head(5, b""), id="beyond the base"),
        pytest.param(delta(b"\x91\x62\x05"), Head(5, b"89"), id="partly beyond the base"),
        pytest.param(delta(b"\0hello"), Head(5, b""), id="a reserved instruction"),
        pytest.param(delta(b"\x05he"), Head(5, b"he"), id="too few new bytes"),
        pytest.param(delta(b"\1a" * 99, 99), Head(99, b"a" * 64), id="many instructions"),
        pytest.param(delta(b"\x90\x03"), None, id="no instruction where one is needed"),
        pytest.param(delta(b"\x9f\x01"), None, id="a copy that is cut"),
        pytest.param(delta(b"\x90\x05", base_size=99), None, id="for another base"),
        pytest.param(stored(6, 0, b"", BEFORE), None, id="no sizes"),
        pytest.param(stored(6, 1, b"\x64\x05", b"\0"), None, id="its own base"),
        pytest.param(stored(6, 1, b"\x64\x05", b"\xff\x7f"), None, id="a base before the pack"),
        pytest.param(stored(6, 1, b"\x64\x05", b"\x01"), None, id="a base that is no object"),
        pytest.param(stored(7, 4, b"\x64\x05\x90\x05", FIRST), Head(5, b"01234"), id="by name"),
        pytest.param(
            stored(7, 4, b"\x64\x05\x90\x05", THIRD), None, id="by a name not in the pack"
        ),
        pytest.param(stored(7, 4, b"\x64\x05\x90\x05", SECOND), None, id="by its own name"),
        pytest.param(stored(7, 0, b"")[:1], None, id="a name that is cut"),
        pytest.param(stored(1, 3, b"abc"), None, id="a commit"),
        pytest.param(b"\x33not compressed", None, id="a damaged blob"),
        pytest.param(b"\x63" + BEFORE + b"not compressed", None, id="a damaged delta"),
        pytest.param(b"\xb3" + b"\xff" * 700, None, id="a size without an end"),
    ],
)
def test_handmade_object(tmp_path: Path, second: bytes, expected: Head | None) -> None:
    write_pack(tmp_path, {FIRST: WHOLE, SECOND: second})
    found = read_all(tmp_path, [SECOND.hex(), FIRST.hex()])
    assert found == {SECOND.hex(): expected, FIRST.hex(): Head(100, BASE)}


@st.composite
def copies(draw: st.DrawFn) -> bytes:
    """Return an instruction that copies, or one that inserts."""
    place, count = draw(st.integers(0, 800)), draw(st.integers(1, 90_000))
    if draw(st.booleans()):
        place = 0
    if draw(st.booleans()):
        return bytes([count % 127 + 1]) + b"n" * (count % 127 + 1)
    parts = place.to_bytes(4, "little") + count.to_bytes(3, "little")
    bits = [n for n, byte in enumerate(parts) if byte]
    return bytes([packs.IS_COPY | sum(1 << n for n in bits), *(parts[n] for n in bits)])


@example(base=b"b" * 600, size=70_000, parts=[b"\xf0\x70\x11\1"], cut=0)
@example(base=b"b" * 600, size=70_000, parts=[b"\xf0\x70\x11\1"], cut=1)
@example(base=b"b" * 600, size=512, parts=[b"\xb0\0\2"], cut=0)
@example(base=b"b" * 600, size=511, parts=[b"\xb0\0\2"], cut=0)
@example(base=b"b" * 300, size=511, parts=[b"\xb0\0\2"], cut=0)
@given(
    base=st.binary(max_size=600),
    size=st.integers(0, 90_000),
    parts=st.lists(copies(), max_size=6),
    cut=st.sampled_from([0, 0, 1, 3]),
)
def test_the_shortcut_changes_no_answer(
    base: bytes, size: int, parts: list[bytes], cut: int
) -> None:
    """Not for damaged deltas either, which copy more than there is or make another size."""
    content = number(len(base)) + number(size) + b"".join(parts)
    compressed = zlib.compress(content[: len(content) - cut])
    known = Head(len(base), base[: packs.HEAD_BYTES])
    found = packs.apply_delta(known, compressed)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(packs, "COPIES_FROM_START", {})
        patching.setattr(packs, "FIRST_DELTA_BYTES", len(content) + 1)
        assert found == packs.apply_delta(known, compressed)


def test_too_many_deltas_are_left_to_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were read on the way are not read again."""
    monkeypatch.setattr(packs, "MAX_DEPTH", 3)
    ids = [bytes([n]) * 20 for n in range(6)]
    copy = b"\x64\x64\x90\x64"
    deltas = {name: stored(7, 4, copy, base) for base, name in pairwise(ids)}
    write_pack(tmp_path, {ids[0]: WHOLE, **deltas})
    assert read_all(tmp_path, [ids[3].hex()]) == {ids[3].hex(): Head(100, BASE)}
    deepest_first = read_all(tmp_path, [name.hex() for name in reversed(ids)])
    assert deepest_first.pop(ids[0].hex()) == Head(100, BASE)
    assert {*deepest_first.values()} == {None}
    step_by_step = read_all(tmp_path, [name.hex() for name in ids])
    assert {*step_by_step.values()} == {Head(100, BASE)}


def test_an_id_across_two_others_is_not_found(tmp_path: Path) -> None:
    first = bytes(10) + b"\0\x01" + b"\x02" * 8
    second = bytes(9) + b"\x05" * 11
    across = first[10:] + second[:10]
    write_pack(tmp_path, {first: WHOLE, second: WHOLE})
    assert read_all(tmp_path, [across.hex()]) == {across.hex(): None}
    write_pack(tmp_path, {first: WHOLE, second: WHOLE, across: WHOLE})
    assert read_all(tmp_path, [across.hex()]) == {across.hex(): Head(100, BASE)}


def test_an_id_that_is_there_twice_is_left_to_git(tmp_path: Path) -> None:
    write_pack(tmp_path, {FIRST: WHOLE, SECOND: WHOLE, THIRD: WHOLE}, twice=SECOND)
    found = read_all(tmp_path, [name.hex() for name in (FIRST, SECOND, THIRD)])
    assert [*found.values()] == [Head(100, BASE), None, Head(100, BASE)]
    (tmp_path / "pack/p.pack").rename(tmp_path / "pack/q.pack")
    (tmp_path / "pack/p.idx").rename(tmp_path / "pack/q.idx")
    write_pack(tmp_path, {SECOND: WHOLE})
    assert read_all(tmp_path, [SECOND.hex()]) == {SECOND.hex(): None}


def test_every_id_of_several_may_be_there_twice(tmp_path: Path) -> None:
    names = [bytes([1, n]) * 10 for n in range(0, 250, 25)]
    for twice in names:
        write_pack(tmp_path, dict.fromkeys(names, WHOLE), twice=twice)
        found = read_all(tmp_path, [name.hex() for name in names])
        assert [blob for blob, head in found.items() if head is None] == [twice.hex()]


@given(names=st.sets(st.binary(min_size=20, max_size=20), max_size=40), near=st.integers(0, 3))
def test_every_id_is_found_however_they_are_distributed(names: set[bytes], near: int) -> None:
    with pytest.MonkeyPatch.context() as patching, TemporaryDirectory() as directory:
        patching.setattr(packs, "NEAR", near)
        objects = {name: stored(3, n, b"x" * n) for n, name in enumerate(sorted(names))}
        write_pack(Path(directory), objects)
        found = read_all(Path(directory), [name.hex() for name in [*objects, FIRST]])
        expected = {name.hex(): Head(n, b"x" * n) for n, name in enumerate(sorted(names))}
        assert found == {FIRST.hex(): None, **expected}
