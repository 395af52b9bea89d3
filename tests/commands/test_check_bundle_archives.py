"""What `check-bundle` says of archives, and of those that nobody should trust."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bundle.make_image import Dir, File, HardLink, Layer, SymLink, make_docker, make_layer, make_oci
from helpers.make_pyc import EVIL, TAG, compile_source, hash_pyc, timestamp_pyc
from pycache_guard.archives import member
from pycache_guard.bundle import images, members

if TYPE_CHECKING:
    from types import ModuleType

    from conftest import Run
    from helpers.repo import Result

SOURCE = b"VALUE = 1\n"
#: An even number of seconds.
TIME = 1_700_000_000
HERE = f"CPython {sys.version_info[0]}.{sys.version_info[1]}"
CACHE = f"__pycache__/m.{TAG}.pyc"
STAMPED = timestamp_pyc(compile_source(SOURCE.decode()), len(SOURCE), TIME)
CHECKED = hash_pyc(compile_source(SOURCE.decode()), SOURCE, checked=True)
UNCHECKED = hash_pyc(compile_source(SOURCE.decode()), SOURCE, checked=False)

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="the helpers write bytecode of CPython"
)


@pytest.fixture(autouse=True)
def elsewhere(root: Path) -> Path:
    """Stand in an empty directory, which is no repository."""
    return root


def make_zip(
    contents: dict[str, bytes],
    *,
    at: float = TIME,
    extra: bytes = b"",
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return a zip file whose members all have one time, in local time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in contents.items():
            info = zipfile.ZipInfo(name, time.localtime(at)[:6])
            info.compress_type = method
            info.extra = extra
            archive.writestr(info, data)
    return file.getvalue()


def extended(seconds: int, flags: int = 1) -> bytes:
    """Return the extra field of Info-ZIP with a modification time."""
    return struct.pack("<HHBi", 0x5455, 5, flags, seconds)


def check(run: Run, name: str, data: bytes, *options: str) -> dict[str, Any]:
    """Return the report on an archive."""
    Path(name).write_bytes(data)
    result = run("check-bundle", name, "--format", "json", *options)
    assert result.err == ""
    report: dict[str, Any] = json.loads(result.out)
    return report


def test_both_separators_of_windows_name_one_archive(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("dist").mkdir()
    Path("dist", "a.zip").write_bytes(make_zip({"m.py": SOURCE, CACHE: STAMPED}, at=1e9))
    monkeypatch.setattr(os, "sep", "\\")
    report = json.loads(run("check-bundle", "dist\\a.zip", "dist/a.zip", "--format", "json").out)
    assert [finding["path"] for finding in report["findings"]] == ["dist/a.zip"]


def states(report: dict[str, Any]) -> dict[str, str]:
    """Return state and cause of each module."""
    return {
        module["path"]: f"{module['state']} {module['cause'] or ''}".strip()
        for module in report["modules"]
    }


@pytest.mark.parametrize(
    ("bytecode", "at", "extra", "state"),
    [
        (STAMPED, TIME, b"", "used"),
        (STAMPED, TIME + 2, b"", "never-used time"),
        (STAMPED, 315_619_200, b"", "never-used time"),
        (STAMPED, 315_619_200, extended(TIME), "used"),
        (STAMPED, TIME, extended(TIME + 1), "never-used time"),
        (STAMPED, TIME, extended(TIME + 1, flags=2), "used"),
        (CHECKED, 315_619_200, b"", "used"),
        (UNCHECKED, 315_619_200, b"", "used"),
        (STAMPED[:12] + b"\1\0\0\0" + STAMPED[16:], TIME, b"", "never-used size"),
        (CHECKED[:8] + bytes(8) + CHECKED[16:], TIME, b"", "never-used hash"),
    ],
)
def test_a_zip_as_it_is_unpacked(
    run: Run, bytecode: bytes, at: float, extra: bytes, state: str
) -> None:
    data = make_zip({"p/m.py": SOURCE, f"p/{CACHE}": bytecode}, at=at, extra=extra)
    report = check(run, "a.zip", data, "--expect", "unchecked-hash")
    assert states(report) == {"p/m.py": state}
    assert report["bundles"][0]["read_only"] is True
    assert report["modules"][0]["compiled_at_every_start"] is (state != "used")


def test_an_empty_source_has_no_other_line_endings(run: Run) -> None:
    empty = timestamp_pyc(compile_source(""), 0, TIME)
    report = check(run, "a.zip", make_zip({"m.py": SOURCE, CACHE: empty}))
    assert report["modules"][0]["reason"] == (
        "the size of the source is another one than when this was compiled"
    )


def test_the_finding_names_archive_and_member(run: Run) -> None:
    data = make_zip({"p/m.py": SOURCE, f"p/{CACHE}": STAMPED}, at=TIME + 2)
    Path("a.zip").write_bytes(data)
    result = run("check-bundle", "a.zip")
    assert result.code == 1
    assert f"a.zip: PYC321 `p/{CACHE}`: {HERE} never uses this file: " in result.out
    assert "compiles the source at every start" in result.out
    assert "PYC324" not in result.out


def test_a_wheel_has_the_time_of_its_installation(run: Run) -> None:
    contents = {
        "p/m.py": SOURCE,
        f"p/{CACHE}": STAMPED,
        "q/m.py": SOURCE,
        f"q/{CACHE}": CHECKED,
        "x-1.data/purelib/r/m.py": SOURCE,
        f"r/{CACHE}": CHECKED,
        "s/m.py": SOURCE,
        f"s/{CACHE}": STAMPED[:12] + b"\1\0\0\0" + STAMPED[16:],
    }
    report = check(run, "x-1-py3-none-any.whl", make_zip(contents))
    assert states(report) == {
        "p/m.py": "never-used time",
        "q/m.py": "used",
        "r/m.py": "used",
        "s/m.py": "never-used size",
    }


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "no-suffix"])
def test_a_tar_has_times(run: Run, name: str) -> None:
    layer: Layer = {
        "./m.py": File(SOURCE),
        f"./{CACHE}": File(STAMPED, 5),
        "n.py": File(SOURCE, TIME + 1),
        f"__pycache__/n.{TAG}.pyc": HardLink(f"./{CACHE}"),
        "o.py": SymLink("m.py"),
        f"__pycache__/o.{TAG}.pyc": SymLink(f"m.{TAG}.pyc"),
        "README": File(b""),
        "d": Dir(),
        "libx.so": SymLink("nothing"),
    }
    data = make_layer(layer)
    report = check(run, name, gzip.compress(data) if name.endswith("gz") else data)
    assert states(report) == {"m.py": "used", "n.py": "never-used time", "o.py": "used"}


def test_unchecked_code_of_another_source(run: Run) -> None:
    forged = hash_pyc(compile_source(EVIL), SOURCE, checked=False)
    report = check(
        run,
        "a.zip",
        make_zip({"m.py": SOURCE, CACHE: forged, f"p/{CACHE}": UNCHECKED, "p/m.py": b"other"}),
        "--expect",
        "unchecked-hash",
    )
    assert [(each["code"], each["message"][: len(CACHE) + 4]) for each in report["findings"]] == [
        ("PYC202", f"`{CACHE}`: "),
        ("PYC202", f"`p/{CACHE}`: "[: len(CACHE) + 4]),
    ]


def test_code_that_does_not_fit_into_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_HELD_BYTES", 20)
    data = make_zip({"m.py": SOURCE, CACHE: UNCHECKED, "n.py": SOURCE})
    report = check(run, "a.zip", data, "--expect", "unchecked-hash")
    assert "could not be compared" in report["notes"][0]
    monkeypatch.setattr(members, "MAX_HELD_BYTES", 5)
    assert "1 missing" in run("check-bundle", "a.zip", "--expect", "unchecked-hash").out


ZIPIMPORTED = {
    "m.py": SOURCE,
    "m.pyc": STAMPED,
    "n.py": SOURCE,
    f"__pycache__/n.{TAG}.pyc": CHECKED,
}


@pytest.mark.parametrize(
    ("name", "prefix", "options"),
    [
        ("a.pyz", b"", ()),
        ("a.pex", b"#!/usr/bin/env python3\n", ()),
        ("a.egg", b"", ()),
        ("app", b"#!/usr/bin/env python3\n", ()),
        ("a.zip", b"", ("--zipimport",)),
    ],
)
def test_a_zip_that_is_imported_from(
    run: Run, name: str, prefix: bytes, options: tuple[str, ...]
) -> None:
    report = check(run, name, prefix + make_zip(ZIPIMPORTED), *options)
    assert states(report) == {"m.py": "used", "n.py": "never-used place"}


def test_other_bytecode_in_a_zip_that_is_imported_from(run: Run) -> None:
    contents = {
        "m.pyc": UNCHECKED,
        "m.py": SOURCE,
        "n.pyo": b"",
        f"__pycache__/m.{TAG}.pyc": CHECKED,
        "__pycache__/README": b"",
        "a.b.py": SOURCE,
        "o.py": SOURCE,
        "o.pyc": CHECKED,
        "p.pyc": b"\x33\r\r\n" + CHECKED[4:],
    }
    report = check(run, "a.pyz", make_zip(contents), "--python", HERE.replace("CPython ", ""))
    assert states(report) == {"m.py": "used", "o.py": "used", "p.pyc": "never-used magic"}
    assert [stray["path"] for stray in report["other_bytecode"]] == [
        "n.pyo",
        f"__pycache__/m.{TAG}.pyc",
    ]


def test_zipimport_is_for_zip_files(root: Path, run: Run) -> None:
    Path("a.tar").write_bytes(make_layer({"m.py": File(SOURCE)}))
    for path in ("a.tar", "."):
        code, out, err = run("check-bundle", "--zipimport", path)
        assert (code, out) == (2, "")
        assert "`--zipimport` is" in err


BASE: Layer = {
    "app": Dir(),
    "app/m.py": File(SOURCE),
    f"app/{CACHE}": File(STAMPED),
    "app/old.py": File(SOURCE),
    "app/gone/m.py": File(SOURCE),
    "app/opaque/m.py": File(SOURCE),
    "app/opaque/deep/m.py": File(SOURCE),
    "app/replaced/m.py": File(SOURCE),
    "usr/lib/q.py": File(SOURCE),
    "usr/x.py": File(SOURCE),
    "lib": SymLink("usr/lib"),
    "circle": SymLink("circle"),
}
TOP: Layer = {
    "app/m.py": File(SOURCE, TIME + 5),
    "app/opaque/n.py": File(SOURCE),
    "app/opaque/.wh..wh..opq": File(b""),
    "app/.wh.old.py": File(b""),
    "app/.wh.gone": File(b""),
    "app/.wh..wh.plnk": File(b""),
    "app/replaced": File(b""),
    f"lib/__pycache__/q.{TAG}.pyc": File(STAMPED),
    "circle/x.py": File(SOURCE),
    "circle/.wh.x.py": File(b""),
    ".wh.nothing": File(b""),
    "app/odd.py": SymLink("data"),
    "app/far.py": SymLink("../../usr/lib/q.py"),
    "app/one.py": SymLink("two.py"),
    "app/two.py": SymLink("one.py"),
    "usr/x.py": Dir(),
    "app/m.py/x/.wh.y": File(b""),
    "app/m.py/x/.wh..wh..opq": File(b""),
    "app/up.py": SymLink("../app/../app/m.py"),
    "usr/lib/r.py": HardLink("lib/q.py"),
    "usr/lib/s.py": HardLink("nothing.py"),
}
LEFT = {
    "app/far.py": "missing",
    "app/m.py": "never-used time",
    "app/opaque/n.py": "missing",
    "app/up.py": "missing",
    "usr/lib/q.py": "used",
    "usr/lib/r.py": "missing",
}


@pytest.mark.parametrize(
    "data",
    [
        make_docker(BASE, TOP),
        gzip.compress(make_docker(BASE, TOP)),
        make_oci([BASE, TOP]),
        make_oci([BASE, TOP], compress=False),
        gzip.compress(make_oci([BASE, TOP])),
    ],
    ids=["docker", "docker.gz", "oci", "oci-plain", "oci.gz"],
)
def test_layers_of_an_image(run: Run, data: bytes) -> None:
    report = check(run, "image.tar", data)
    assert states(report) == LEFT
    (note,) = report["notes"]
    assert note.startswith("3 links (app/odd.py, …) to what is not Python")


@pytest.mark.parametrize("compress", [True, False])
def test_an_image_layout_in_a_directory(run: Run, compress: bool) -> None:
    with tarfile.open(fileobj=io.BytesIO(make_oci([BASE, TOP], compress=compress))) as archive:
        archive.extractall("image", filter="data")
    result = run("check-bundle", "image", "--format", "json")
    assert states(json.loads(result.out)) == LEFT
    Path("image/index.json").write_bytes(b"{}")
    result = run("check-bundle", "image")
    assert (result.code, result.err) == (2, "error: image: has an `index.json` without images\n")


def test_json_in_an_image_layout_has_limits(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(fileobj=io.BytesIO(make_oci([BASE]))) as archive:
        archive.extractall("image", filter="data")
    monkeypatch.setattr(images, "MAX_ALL_JSON_BYTES", 10)
    assert "or a very large one" in run("check-bundle", "image").err


def test_an_archive_of_two_images(run: Run) -> None:
    report = check(run, "image.tar", make_oci([BASE], [BASE, TOP]))
    assert [each["path"] for each in report["bundles"]] == [
        "image.tar (app:0)",
        "image.tar (app:1)",
    ]
    assert [each["missing"] for each in report["bundles"]] == [7, 4]


def test_a_layer_that_two_images_share_in_a_link(run: Run) -> None:
    manifest = [{"Layers": ["a/layer.tar"]}, {"Layers": ["b/layer.tar"], "RepoTags": None}]
    data = make_layer(
        {
            "a/layer.tar": File(make_layer(BASE)),
            "b/layer.tar": SymLink("../a/layer.tar"),
            "manifest.json": File(json.dumps(manifest).encode()),
        }
    )
    report = check(run, "image.tar", data)
    assert [each["path"] for each in report["bundles"]] == [
        "image.tar (image 1)",
        "image.tar (image 2)",
    ]


def refused(run: Run, name: str, data: bytes, *options: str) -> Result:
    """Return the result of a run that ends with 2."""
    Path(name).write_bytes(data)
    result = run("check-bundle", name, *options)
    assert result.code == 2
    return result


def image(**texts: object) -> bytes:
    """Return an image archive with these JSON files."""
    names = {"manifest": "manifest.json", "index": "index.json", "layout": "oci-layout"}
    members: Layer = {
        names.get(name, f"blobs/sha256/{name}"): File(
            text if isinstance(text, bytes) else json.dumps(text).encode()
        )
        for name, text in texts.items()
    }
    return make_layer(members)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (image(manifest=b"[" * 100_000), "has a `manifest.json` that is not JSON"),
        (image(manifest=[]), "has a `manifest.json` without images"),
        (image(manifest=[{}]), "has a `manifest.json` without layers"),
        (image(manifest=[3]), "has a `manifest.json` without layers"),
        (image(manifest=[{"Layers": ["x"]}]), "has no layer `x`"),
        (image(manifest=b"text", layout={}, index=[]), "has an `index.json` without images"),
        (image(layout={}, index=[]), "has an `index.json` without images"),
        (image(layout={}, index={"manifests": [3]}), "with a descriptor that is malformed"),
        (image(layout={}, index={"manifests": [{"digest": "sha256:../x"}]}), "is malformed"),
        (image(layout={}, index={"manifests": [{"digest": "sha256:a"}]}), "has no `blobs/sha256/a`"),
        (image(layout={}, index={"manifests": [{"digest": "sha256:a"}]}, a=[]), "is not a manifest"),
        (image(layout={}, index={"manifests": [{"digest": "sha256:a"}]}, a={}), "without layers"),
        (
            image(layout={}, index={"manifests": [{"digest": "sha256:a", "annotations": []}]}, a={"layers": [3]}),
            "is malformed",
        ),
        (
            image(
                layout={},
                index={"manifests": [{"digest": "sha256:a"}]},
                a={"manifests": [{"digest": "sha256:a"}]},
            ),
            "without images",
        ),
    ],
)  # fmt: skip
def test_manifests_that_cannot_be_read(run: Run, data: bytes, words: str) -> None:
    result = refused(run, "image.tar", data)
    assert result.out == ""
    assert words in result.err


def indexes(number: int) -> dict[str, object]:
    """Return an index of `number` times an index, and so on, four levels deep, down to an image."""
    below = {"a": "b", "b": "c", "c": "d"}
    return {
        "layout": {},
        "index": {"manifests": [{"digest": "sha256:a"}] * number},
        **{a: {"manifests": [{"digest": f"sha256:{b}"}] * number} for a, b in below.items()},
        "d": {"layers": []},
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (image(**indexes(100)), "has more than 1000 images"),
        (image(layout={}, index={"manifests": [{}] * 1001}), "has more than 1000 images"),
        (image(manifest=[{"Layers": []}] * 1001), "has more than 1000 images"),
        (
            image(
                manifest=[{"Layers": ["blobs/sha256/a"] * 101}] * 100,
                a=make_layer(BASE),
            ),
            "has images of more than 10000 layers",
        ),
    ],
    ids=["indexes", "index", "manifest", "layers"],
)
def test_images_that_would_take_hours(run: Run, data: bytes, words: str) -> None:
    assert words in refused(run, "image.tar", data).err


@pytest.mark.parametrize("text", [b"{}", b"text", b""])
def test_a_manifest_of_something_else(run: Run, text: bytes) -> None:
    """Web applications and browser extensions have a `manifest.json` too."""
    layer: Layer = {"m.py": File(SOURCE), CACHE: File(STAMPED), "manifest.json": File(text)}
    assert states(check(run, "a.tar", make_layer(layer))) == {"m.py": "used"}


def test_an_image_of_attestations_only(run: Run) -> None:
    assert refused(run, "image.tar", make_oci()).out == ""


def test_json_has_limits(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_ALL_JSON_BYTES", 10)
    assert "or a very large one" in refused(run, "image.tar", make_docker(BASE)).err


def test_a_layer_that_is_cut_off(run: Run) -> None:
    layer = make_layer(BASE)
    manifest = json.dumps([{"Layers": ["a", "b"]}]).encode()
    data = make_layer(
        {
            "a": File(layer),
            "b": File(make_layer(TOP)[:1800]),
            "manifest.json": File(manifest),
        }
    )
    result = refused(run, "image.tar", data)
    assert result.err.startswith("error: image.tar: layer 2: ")
    assert "modules: 1 used" not in result.err
    assert "missing" in result.out


GOOD = make_zip(
    {"m.py": SOURCE, CACHE: STAMPED, "n.py": SOURCE, f"__pycache__/n.{TAG}.pyc": STAMPED}
)


def damaged_member() -> bytes:
    """Return a zip file of which one member has another checksum."""
    data = bytearray(
        make_zip({"m.py": SOURCE, CACHE: STAMPED, "n.py": b"x" * 50}, method=zipfile.ZIP_STORED)
    )
    data[data.index(b"x" * 50)] = 0
    return bytes(data)


def encrypted_member() -> bytes:
    """Return a zip file of which the last member says that it is encrypted."""
    data = bytearray(make_zip({"m.py": SOURCE, CACHE: STAMPED, "n.py": SOURCE}))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.rindex(signature) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.zip", damaged_member(), "n.py: is damaged"),
        ("a.zip", encrypted_member(), "n.py: is encrypted"),
        ("a.zip", make_zip({"m.py": SOURCE, CACHE: STAMPED, "../n.py": SOURCE}), "../n.py: points"),
        ("a.zip", make_zip({"m.py": SOURCE, CACHE: STAMPED, "/n.py": SOURCE}), "/n.py: points out"),
        (
            "a.tar",
            make_layer({"m.py": File(SOURCE), CACHE: File(STAMPED), "n.py": SymLink("../../n.py")}),
            "n.py: points outside the archive",
        ),
        (
            "a.tar",
            make_layer({"m.py": File(SOURCE), CACHE: File(STAMPED), "n.py": SymLink("/n.py")}),
            "n.py: points outside the archive",
        ),
        (
            "a.tar",
            make_layer({"m.py": File(SOURCE), CACHE: File(STAMPED), "n": File(b"x" * 9999)})[:-9000],
            "a.tar: ",
        ),
        (
            "a.tar",
            make_layer({"m.py": File(SOURCE), CACHE: File(STAMPED), "d/" * 2048 + "n.py": File(b"")}),
            "has a name of more than 4096 bytes",
        ),
        ("a.zip", make_zip({"m.py": SOURCE, CACHE: STAMPED, "d/" * 30_000 + "n.py": b""}), "d/d/d/"),
    ],
)  # fmt: skip
def test_one_bad_member_does_not_hide_the_rest(
    run: Run, name: str, data: bytes, words: str
) -> None:
    result = refused(run, name, data, "--format", "json")
    assert words in result.err
    assert states(json.loads(result.out)) == {"m.py": "used"}


BOMB = (
    gzip.compress(make_layer({"x": File(bytes(1 << 20))}), 9) + gzip.compress(bytes(1 << 20)) * 70
)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.zip", GOOD[:-30], "is not a readable zip file"),
        ("a.zip", b"", "is not a readable zip file"),
        ("a", b"text", "is not a zip or tar file"),
        ("a.tar.gz", BOMB, "decompression bomb"),
        ("a.tar.gz", gzip.compress(make_layer(BASE), mtime=0)[:60], "is not a readable tar file"),
    ],
    # Bytes are no ids: two processes that run the tests must collect the same.
    ids=["cut off zip", "empty", "text", "bomb", "cut off gzip"],
)
def test_archives_that_cannot_be_read(run: Run, name: str, data: bytes, words: str) -> None:
    result = refused(run, name, data)
    assert result.out == ""
    assert words in result.err


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_deep_directories(run: Run, kind: str) -> None:
    top = "d/" * 2000
    contents = {f"{top}m.py": SOURCE, f"{top}{CACHE}": STAMPED}
    data = make_layer({name: File(each) for name, each in contents.items()})
    report = check(run, f"a.{kind}", make_zip(contents) if kind == "zip" else data)
    assert states(report) == {f"{top}m.py": "used"}


@pytest.mark.parametrize(
    ("module", "limit", "words"),
    [
        (member, "MAX_ALL_NAME_CHARS", "has names of more than 0 MiB"),
        (members, "MAX_ENTRY_COUNT", "has more modules and directories than fit into memory"),
        (members, "MAX_PATH_CHARS", "has more modules and directories than fit into memory"),
    ],
)
def test_names_have_limits(
    run: Run, monkeypatch: pytest.MonkeyPatch, module: ModuleType, limit: str, words: str
) -> None:
    monkeypatch.setattr(module, limit, 1)
    layer: Layer = {"m.py": File(SOURCE), CACHE: File(STAMPED), "n": SymLink("o")}
    assert f"error: a.tar: {words}" in refused(run, "a.tar", make_layer(layer)).err


def test_names_in_an_image_have_limits(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "MAX_ALL_NAME_CHARS", 20)
    assert "has names of more than 0 MiB" in refused(run, "image.tar", make_docker(BASE)).err


@pytest.mark.parametrize("bytecode", [CHECKED, UNCHECKED])
def test_a_source_that_is_cut_off_at_the_second_reading(run: Run, bytecode: bytes) -> None:
    data = make_layer({CACHE: File(bytecode), "m.py": File(SOURCE * 999)})
    data = data[: data.index(SOURCE * 9) + 100]
    result = refused(run, "a.tar", data)
    assert "a.tar: m.py: is damaged: it is truncated" in result.err


def test_a_package_comes_before_a_module_in_a_zip(run: Run) -> None:
    contents = {"m.py": SOURCE, "m/__init__.py": SOURCE, "m/__init__.pyc": CHECKED}
    report = check(run, "a.pyz", make_zip(contents))
    assert states(report) == {"m/__init__.py": "used"}


def test_a_name_twice_in_a_zip(run: Run) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m.py", SOURCE)
        archive.writestr(CACHE, STAMPED)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("m.py", SOURCE)
    assert "m.py: is in the archive twice" in refused(run, "a.zip", file.getvalue()).err


def test_a_bomb_in_the_second_reading(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_FILE_BYTES", 5)
    result = refused(run, "a.zip", make_zip({"m.py": SOURCE, CACHE: CHECKED}))
    assert "m.py: is larger than 0 MiB" in result.err


def test_a_tar_member_without_a_time(run: Run) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (("m.py", SOURCE), (CACHE, STAMPED)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.pax_headers = {"mtime": "soon"}
            archive.addfile(info, io.BytesIO(data))
    assert states(check(run, "a.tar", file.getvalue())) == {"m.py": "never-used time"}
