"""The layers of an image archive: the OCI image layout, and what `docker save` writes.

Sources: opencontainers/image-spec, image-layout.md, manifest.md, layer.md; moby,
`image/tarexport/save.go`.
"""

from __future__ import annotations

import glob
import json
import os
import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.archives.member import WHOLE, ArchiveError, Growth, limit_names
from pycache_guard.archives.tars import Tar
from pycache_guard.fs import regular
from pycache_guard.git.tempdir import open_unnamed_file

if TYPE_CHECKING:
    from contextlib import ExitStack
    from typing import IO

    from pycache_guard.archives.member import Member

#: What an image archive has at its top: `docker save`, OCI.
_MANIFEST, _INDEX, _LAYOUT = "manifest.json", "index.json", "oci-layout"
#: The largest JSON file that is read, all of them together, and how deep an index may hold indexes.
MAX_JSON_BYTES = 1 << 20
MAX_ALL_JSON_BYTES = 16 << 20
MAX_INDEX_DEPTH = 4
#: Manifests of an archive, and layers of all of them. Docker makes at most 125 of an image (moby,
#: `layer/layer_store.go`, `maxLayerDepth`).
MAX_MANIFEST_COUNT = 1_000
MAX_LAYER_COUNT = 10_000


class Image(NamedTuple):
    """One image of an archive."""

    #: Its tag or digest.
    name: str
    #: The members that are its layers, the lowest first.
    layers: list[str]


class Slice:
    """A part of a file, as a file: a layer that is stored as it is."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        """Take the place of the part in the file."""
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, from the start or from the end."""
        self._at = offset + (self._size if whence == 2 else 0)
        return self._at

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        self._file.seek(self._start + self._at)
        data = self._file.read(max(min(size, self._size - self._at), 0))
        self._at += len(data)
        return data


class _Contents:
    """What an archive holds: where its members are, and its JSON files."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[int | None, int]] = {}
        self.texts: dict[str, bytes] = {}
        self.links: dict[str, str] = {}

    def read_tar(self, tar: Tar) -> None:
        """Read the members of a tar file. Raises `ArchiveError`."""
        room = MAX_ALL_JSON_BYTES
        for member in limit_names(tar.members()):
            name = posixpath.normpath(member.name)
            if member.target is not None:
                self.links[name] = posixpath.normpath(member.target)
            elif member.is_file:
                self.places[name] = member.offset, member.size
                if _may_be_json(member, name) and member.size <= room:
                    text = member.read(WHOLE)
                    if text[:1] in (b"{", b"["):
                        self.texts[name] = text
                        room -= len(text)

    def read_directory(self, top: str) -> None:
        """Read the files of an OCI image layout that is a directory. Raises `OSError`."""
        room = MAX_ALL_JSON_BYTES
        for path in [_INDEX, *glob.glob("blobs/*/*", root_dir=top)]:
            name = path.replace(os.sep, "/")
            with regular.open_regular(os.path.join(top, path)) as file:
                size = file.seek(0, 2)
                file.seek(0)
                self.places[name] = None, size
                if size <= min(room, MAX_JSON_BYTES) and file.read(1) in (b"{", b"["):
                    file.seek(0)
                    self.texts[name] = file.read()
                    room -= size

    def parse(self, name: str) -> object:
        """Return the content of a JSON file. Raises `ArchiveError`."""
        try:
            return json.loads(self.texts[name])
        except KeyError:
            raise ArchiveError(f"has no `{name}`, or a very large one") from None
        except (ValueError, RecursionError):
            raise ArchiveError(f"has a `{name}` that is not JSON") from None

    def find(self, name: str) -> str:
        """Return the member that a layer is in. Raises `ArchiveError` if there is none."""
        name = posixpath.normpath(name)
        # Older versions of `docker save` write a layer once, and a link for each further image.
        name = self.links.get(name, name)
        if name not in self.places:
            raise ArchiveError(f"has no layer `{name}`")
        return name


def _may_be_json(member: Member, name: str) -> bool:
    is_named = name in (_MANIFEST, _INDEX) or name.startswith("blobs/")
    return is_named and member.size <= MAX_JSON_BYTES


def is_docker_manifest(text: bytes) -> bool:
    """Return whether a `manifest.json` may be that of `docker save`: a list; that of a web site is an object."""
    return text.startswith(b"[")


def is_image(tar: Tar) -> bool:
    """Return whether a tar file is an image archive."""
    names: set[str] = set()
    # What cannot be read is said when the members are judged.
    with suppress(ArchiveError):
        for member in tar.members():
            name = posixpath.normpath(member.name)
            is_manifest = (
                name == _MANIFEST and member.is_file and is_docker_manifest(member.read(1))
            )
            if is_manifest or name in (_INDEX, _LAYOUT):
                names.add(name)
    return _MANIFEST in names or {_INDEX, _LAYOUT} <= names


class ImageArchive:
    """The images of an archive, and their layers as tar files."""

    def __init__(self, file: IO[bytes], growth: Growth, closing: ExitStack) -> None:
        """Read the manifests. Raises `ArchiveError`.

        Layers of a compressed archive are copied into unnamed temporary files, which `closing` closes.
        """
        self._file = file
        self._growth = growth
        self._closing = closing
        self._contents = _Contents()
        self._contents.read_tar(Tar(file, growth))
        self.images = self._read_images()
        self._layers = self._open_layers({layer for image in self.images for layer in image.layers})

    def _read_images(self) -> list[Image]:
        """Return the images that the contents describe. Raises `ArchiveError`."""
        if is_docker_manifest(self._contents.texts.get(_MANIFEST, b"")):
            images = self._read_docker()
        else:
            self._manifest_count = 0
            images = self._read_index(self._contents.parse(_INDEX), "", 0)
        if not images:
            raise ArchiveError("has no image in it")
        if sum(len(image.layers) for image in images) > MAX_LAYER_COUNT:
            raise ArchiveError(f"has images of more than {MAX_LAYER_COUNT} layers")
        return images

    def layers(self, image: Image) -> list[Tar]:
        """Return the layers of an image, the lowest first."""
        return [self._layers[name] for name in image.layers]

    def _open_layers(self, names: set[str]) -> dict[str, Tar]:
        """Open each layer once. Raises `ArchiveError`."""
        files: dict[str, IO[bytes]] = {}
        for name in sorted(names):
            offset, size = self._contents.places[name]
            if offset is not None:
                files[name] = cast("IO[bytes]", Slice(self._file, offset, size))
        if len(files) < len(names):
            for member in Tar(self._file, self._growth).members():
                name = posixpath.normpath(member.name)
                if name in names:
                    copy = self._closing.enter_context(open_unnamed_file())
                    files[name] = copy
                    for piece in member.iter_chunks(WHOLE):
                        copy.write(piece)
        return {name: Tar(file, self._growth) for name, file in files.items()}

    def _read_docker(self) -> list[Image]:
        """Return the images of `manifest.json`."""
        listed = self._contents.parse(_MANIFEST)
        images = []
        entries = listed if isinstance(listed, list) else []
        _check_count(len(entries))
        for number, entry in enumerate(entries):
            layers = entry.get("Layers") if isinstance(entry, dict) else None
            if not isinstance(layers, list):
                raise ArchiveError(f"has a `{_MANIFEST}` without layers")
            tags = entry.get("RepoTags")
            name = str(tags[0]) if isinstance(tags, list) and tags else f"image {number + 1}"
            images.append(Image(name, [self._contents.find(str(layer)) for layer in layers]))
        if not images:
            raise ArchiveError(f"has a `{_MANIFEST}` without images")
        return images

    def _read_index(self, index: object, name: str, depth: int) -> list[Image]:
        """Return the images of an OCI index, and of those in it."""
        manifests = index.get("manifests") if isinstance(index, dict) else None
        if not isinstance(manifests, list) or depth > MAX_INDEX_DEPTH:
            raise ArchiveError(f"has an `{_INDEX}` without images")
        images: list[Image] = []
        self._manifest_count += len(manifests)
        _check_count(self._manifest_count)
        for descriptor in manifests:
            where = _blob(descriptor)
            labels = descriptor.get("annotations") or {}
            label = (
                labels.get("org.opencontainers.image.ref.name") if isinstance(labels, dict) else ""
            )
            label = str(label or name or descriptor["digest"])
            found = self._contents.parse(where)
            if not isinstance(found, dict):
                raise ArchiveError(f"has a `{where}` that is not a manifest")
            if "manifests" in found:
                images += self._read_index(found, label, depth + 1)
                continue
            layers = found.get("layers")
            if not isinstance(layers, list):
                raise ArchiveError(f"has a `{where}` without layers")
            tars = [_blob(layer) for layer in layers if not _is_attestation(layer)]
            if tars or not layers:
                images.append(Image(label, [self._contents.find(tar) for tar in tars]))
        return images


def _check_count(number: int) -> None:
    """Raise `ArchiveError` for more manifests than are read."""
    if number > MAX_MANIFEST_COUNT:
        raise ArchiveError(f"has more than {MAX_MANIFEST_COUNT} images")


def _is_attestation(layer: object) -> bool:
    """Return whether a layer is a statement about an image, which buildx adds as another image."""
    return isinstance(layer, dict) and ".tar" not in str(layer.get("mediaType", ".tar"))


def _blob(descriptor: object) -> str:
    """Return the member with the content of a descriptor. Raises `ArchiveError`."""
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    algorithm, colon, value = digest.partition(":") if isinstance(digest, str) else ("", "", "")
    if not (colon and algorithm.isalnum() and value.isalnum()):
        raise ArchiveError("has a manifest with a descriptor that is malformed")
    return f"blobs/{algorithm}/{value}"


class ImageDirectory(ImageArchive):
    """The images of an OCI image layout that is a directory."""

    def __init__(self, top: str, closing: ExitStack) -> None:
        """Read the manifests; `closing` closes the layers. Raises `ArchiveError` and `OSError`."""
        self._contents = _Contents()
        self._contents.read_directory(top)
        self.images = self._read_images()
        growth = Growth(sum(size for _, size in self._contents.places.values()))
        self._layers = {
            name: Tar(closing.enter_context(regular.open_regular(os.path.join(top, name))), growth)
            for name in {layer for image in self.images for layer in image.layers}
        }
