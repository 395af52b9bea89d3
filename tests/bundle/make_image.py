"""Make tar files and image archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import NamedTuple


class File(NamedTuple):
    """A file of a layer."""

    data: bytes
    time: int = 1_700_000_000


class SymLink(NamedTuple):
    """A symbolic link."""

    target: str


class HardLink(NamedTuple):
    """A hard link, by the path in the archive."""

    target: str


class Dir(NamedTuple):
    """A directory."""


Layer = dict[str, "File | SymLink | HardLink | Dir"]


def make_layer(members: Layer) -> bytes:
    """Return a tar file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, member in members.items():
            info = tarfile.TarInfo(name)
            data = b""
            if isinstance(member, File):
                data, info.mtime, info.size = member.data, member.time, len(member.data)
            elif isinstance(member, Dir):
                info.type = tarfile.DIRTYPE
            else:
                is_hard = isinstance(member, HardLink)
                info.type = tarfile.LNKTYPE if is_hard else tarfile.SYMTYPE
                info.linkname = member.target
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def make_docker(*layers: Layer, tags: list[str] | None = None) -> bytes:
    """Return what older versions of `docker save` write."""
    names = [f"{number:064x}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": "c.json", "RepoTags": tags or ["app:1"], "Layers": names}]
    members: Layer = {
        name: File(make_layer(layer)) for name, layer in zip(names, layers, strict=True)
    }
    members["0" * 64] = Dir()
    return make_layer({**members, "manifest.json": File(json.dumps(manifest).encode())})


def make_oci(*images: list[Layer], compress: bool = True) -> bytes:
    """Return an OCI image layout, with an attestation as buildx adds it."""
    blobs: Layer = {}

    def add(data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = File(data)
        return f"sha256:{digest}"

    manifests = []
    for number, image in enumerate(images):
        layers = []
        for layer in image:
            data = make_layer(layer)
            digest = add(gzip.compress(data, mtime=0) if compress else data)
            kind = "application/vnd.oci.image.layer.v1.tar" + "+gzip" * compress
            layers.append({"mediaType": kind, "digest": digest})
        manifest = add(json.dumps({"layers": layers}).encode())
        name = {"org.opencontainers.image.ref.name": f"app:{number}"}
        manifests.append({"digest": manifest, "annotations": name})
    statement = add(b"{}")
    proof = [{"mediaType": "application/vnd.in-toto+json", "digest": statement}]
    manifests.append({"digest": add(json.dumps({"layers": proof}).encode())})
    inner = add(json.dumps({"manifests": manifests}).encode())
    index = json.dumps({"manifests": [{"digest": inner}]}).encode()
    return make_layer({"oci-layout": File(b"{}"), "index.json": File(index), **blobs})
