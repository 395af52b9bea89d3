"""Open what a user names as a bundle: a directory, an archive, or an image archive."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bundle.judge import judge
from pycache_guard.bundle.tree import DiskTree
from pycache_guard.errors import Failure
from pycache_guard.fs import regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pycache_guard.bundle.judge import Judgement
    from pycache_guard.bundle.target import Target
    from pycache_guard.bundle.tree import BundleTree


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
        if not is_image_directory(path):
            yield [Bundle(path, DiskTree(path), judge, is_archive=False)]
            return
    from pycache_guard.bundle import archived  # 50 ms, which a directory does not need

    with contextlib.ExitStack() as closing:
        if os.path.isdir(path):
            yield archived.open_image_directory(path, closing)
            return
        file = closing.enter_context(regular.open_regular(path))
        yield archived.open_archived(path, file, closing, has_zipimport=has_zipimport)


def is_image_directory(path: str) -> bool:
    """Return whether a directory is an OCI image layout (image-layout.md)."""
    return all(os.path.isfile(os.path.join(path, name)) for name in ("oci-layout", "index.json"))
