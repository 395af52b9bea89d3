"""Open what a user names as a bundle: a directory, an archive, or an image archive."""

from __future__ import annotations

import contextlib
import os
import re
from typing import NamedTuple

from pycache_guard.archives import open_archive
from pycache_guard.archives.member import ArchiveError
from pycache_guard.archives.member import Growth
from pycache_guard.archives.tars import Tar
from pycache_guard.archives.zips import Zip
from pycache_guard.bundle.images import ImageArchive
from pycache_guard.bundle.images import is_image
from pycache_guard.bundle.judge import judge
from pycache_guard.bundle.members import ArchiveTree
from pycache_guard.bundle.members import time_in_tar
from pycache_guard.bundle.members import time_in_zip
from pycache_guard.bundle.members import time_of_installation
from pycache_guard.bundle.tree import DiskTree
from pycache_guard.bundle.zip_rules import judge_zip
from pycache_guard.errors import Failure
from pycache_guard.fs import regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from typing import IO

    from pycache_guard.bundle.judge import Judgement
    from pycache_guard.bundle.target import Target
    from pycache_guard.bundle.tree import BundleTree

#: Python runs these as they are: PEP 441, PEX, and eggs of setuptools.
ZIPIMPORTED = (".egg", ".pyz", ".pyzw", ".pex")
_WHEEL_DATA = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")


class Bundle(NamedTuple):
    """A bundle that can be judged."""

    #: For reports: the path, with the image in parentheses if the archive has several.
    label: str
    tree: BundleTree
    judge: Callable[[BundleTree, Target, int], Judgement]
    #: Nothing can be written into an archive.
    is_archive: bool = True


@contextlib.contextmanager
def open_bundles(path: str, *, has_zipimport: bool) -> Iterator[list[Bundle]]:
    """Return the bundles at a path: one, or the images of an archive.

    With `has_zipimport` a zip file is judged by the rules of `zipimport`. Raises `Failure` and `OSError`.
    """
    if os.path.isdir(path):
        if has_zipimport:
            raise Failure(f"{path}: is a directory, which `--zipimport` is not for")
        yield [Bundle(path, DiskTree(path), judge, is_archive=False)]
        return
    with contextlib.ExitStack() as closing:
        file = closing.enter_context(regular.open_regular(path))
        try:
            bundles = _open_file(path, file, closing, has_zipimport=has_zipimport)
        except ArchiveError as why:
            raise Failure(f"{path}: {why}") from None
        yield bundles


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
        images = ImageArchive(file, Growth(size), closing)
        return [
            Bundle(
                f"{path} ({image.name})" if len(images.images) > 1 else path,
                ArchiveTree(path, [*images.layers(image)], time_in_tar, is_image=True),
                judge,
            )
            for image in images.images
        ]
    return [Bundle(path, ArchiveTree(path, [archive], time_in_tar), judge)]


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
