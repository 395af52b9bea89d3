"""Open an archive as a bundle, or the images of an image archive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycache_guard.archives import open_archive
from pycache_guard.archives.member import ArchiveError, Growth
from pycache_guard.archives.tars import Tar
from pycache_guard.archives.zips import Zip
from pycache_guard.bundle.bundles import Bundle
from pycache_guard.bundle.images import ImageArchive, ImageDirectory, is_image
from pycache_guard.bundle.judge import judge
from pycache_guard.bundle.members import ArchiveTree, time_in_tar, time_in_zip, time_of_installation
from pycache_guard.bundle.zip_rules import judge_zip
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    import contextlib
    from typing import IO

#: Python runs these as they are: PEP 441, PEX, and eggs of setuptools.
ZIPIMPORTED = (".egg", ".pyz", ".pyzw", ".pex")
_WHEEL_DATA = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")


def open_archived(
    path: str, file: IO[bytes], closing: contextlib.ExitStack, *, has_zipimport: bool
) -> list[Bundle]:
    """Return the bundles in an archive; `closing` closes the files that this opens. Raises `Failure`."""
    try:
        return _open_file(path, file, closing, has_zipimport=has_zipimport)
    except ArchiveError as why:
        raise Failure(f"{path}: {why}") from None


def _open_file(
    path: str, file: IO[bytes], closing: contextlib.ExitStack, *, has_zipimport: bool
) -> list[Bundle]:
    """Return the bundles in an archive. Raises `ArchiveError`."""
    size = file.seek(0, 2)
    archive = open_archive(file, path, Growth(size))
    if isinstance(archive, Zip):
        return [_open_zip(path, file, archive, has_zipimport=has_zipimport)]
    if has_zipimport:
        raise ArchiveError("is not a zip file, which `--zipimport` is for")
    if is_image(Tar(file, Growth(size))):
        return _list_images(path, ImageArchive(file, Growth(size), closing))
    return [Bundle(path, ArchiveTree(path, [archive], time_in_tar), judge)]


def open_image_directory(path: str, closing: contextlib.ExitStack) -> list[Bundle]:
    """Return the images of an OCI image layout that is a directory. Raises `Failure` and `OSError`."""
    try:
        return _list_images(path, ImageDirectory(path, closing))
    except ArchiveError as why:
        raise Failure(f"{path}: {why}") from None


def _list_images(path: str, images: ImageArchive) -> list[Bundle]:
    return [
        Bundle(
            f"{path} ({image.name})" if len(images.images) > 1 else path,
            ArchiveTree(path, [*images.layers(image)], time_in_tar, is_image=True),
            judge,
        )
        for image in images.images
    ]


def _open_zip(path: str, file: IO[bytes], archive: Zip, *, has_zipimport: bool) -> Bundle:
    lowered = path.lower()
    file.seek(0)
    # A line for the shell: `python -m zipapp -p`, PEX and shiv write one (PEP 441).
    if has_zipimport or lowered.endswith(ZIPIMPORTED) or file.read(2) == b"#!":
        tree = ArchiveTree(path, [archive], time_in_zip)
        return Bundle(path, tree, judge_zip)  # type: ignore[arg-type]
    if lowered.endswith(".whl"):
        tree = ArchiveTree(path, [archive], time_of_installation, rename=_place_installed)
    else:
        tree = ArchiveTree(path, [archive], time_in_zip)
    return Bundle(path, tree, judge)


def _place_installed(name: str) -> str:
    """Return where an installer puts a file of a wheel (PEP 427)."""
    return _WHEEL_DATA.sub("", name, count=1)
