"""Read the Python modules and the ignore files of the index."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, NamedTuple

from identify import identify

from pycache_guard.bytecode.probes import module_name
from pycache_guard.git.listing import iter_entry_blocks
from pycache_guard.git.objects import read_blobs, read_prefixes
from pycache_guard.git.repository import require_toplevel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.git.index import Index

#: The first bytes of a script, which contain its shebang line.
SHEBANG_BYTES = 512


class Project(NamedTuple):
    """Tracked modules and ignore files. Paths are bytes, relative to the top."""

    #: Names of the Python modules by directory.
    modules: dict[bytes, list[bytes]]
    #: Content of each `.gitignore` of the index that is a regular file.
    ignore_files: dict[bytes, bytes]
    #: Each `.gitignore` that is not a regular file, with a description.
    unusable_ignore_files: dict[bytes, str]
    #: Each `.gitignore` that `working-tree-encoding` converts at checkout to an encoding in which git
    #: reads no patterns; with that encoding.
    recoded: dict[bytes, str]


def read_project(index: Index) -> Project:
    """Read the index once, and the blobs of ignore files and executable scripts."""
    reading = ProjectReader()
    for block in iter_entry_blocks(index.list_entries()):
        for record in block.split(b"\0")[:-1]:
            head, _, path = record.partition(b"\t")
            reading.add(head, path)
    return reading.build()


class ProjectReader:
    """Sorts the records of a listing into modules and ignore files."""

    def __init__(self) -> None:
        self._modules: dict[bytes, list[bytes]] = {}
        self._not_files: dict[bytes, str] = {}
        #: Blob by path.
        self._rules: dict[bytes, str] = {}
        self._scripts: dict[bytes, str] = {}
        #: Blobs of `.gitattributes`.
        self._attributes: list[str] = []
        #: The tags of identify by file name; names repeat.
        self._kinds: dict[bytes, set[str]] = {}

    def add(self, head: bytes, path: bytes) -> None:
        """Sort one record, `MODE ID STAGE` and its path."""
        directory, _, file = path.rpartition(b"/")
        if b".gitignore/" in path:
            self._take_directory(path)
        if file.endswith(b".py"):  # the common case, without identify
            self._modules.setdefault(directory, []).append(module_name(file))
        elif file == b".gitignore":
            self._take_ignore_file(head, path)
        elif file == b".gitattributes" and head.startswith(b"100"):
            self._attributes.append(blob_of(head))
        else:
            self._take_other(head, path, directory, file)

    def build(self) -> Project:
        """Read scripts and ignore files; return the project."""
        paths = {blob: path for path, blob in self._scripts.items()}
        heads = read_prefixes([*paths], SHEBANG_BYTES, lambda blob: os.fsdecode(paths[blob]))
        python = {blob for blob, head in heads if is_script(head)}
        for path, blob in self._scripts.items():
            if blob in python:
                directory, _, file = path.rpartition(b"/")
                self._modules.setdefault(directory, []).append(module_name(file))
        named = {blob: path for path, blob in self._rules.items()}
        read = read_blobs(
            [*self._rules.values(), *self._attributes],
            lambda blob: os.fsdecode(named.get(blob, b".gitattributes")),
        )
        rules = {path: read[blob] for path, blob in self._rules.items()}
        recoded: dict[bytes, str] = {}
        if any(b"working-tree-encoding" in read[blob] for blob in self._attributes):
            recoded = checked_out_wide(rules)
            rules = {path: data for path, data in rules.items() if path not in recoded}
        return Project(self._modules, rules, self._not_files, recoded)

    def _take_ignore_file(self, head: bytes, path: bytes) -> None:
        if head.startswith(b"100"):
            self._rules[path] = blob_of(head)
        elif head.startswith(b"120000"):
            self._not_files[path] = "is a symbolic link, which git does not follow"
        else:
            self._not_files[path] = "is a submodule"

    def _take_directory(self, path: bytes) -> None:
        parts = path.split(b"/")
        if b".gitignore" in parts[:-1]:
            above = parts[: parts.index(b".gitignore") + 1]
            self._not_files[b"/".join(above)] = "is a directory"

    def _take_other(self, head: bytes, path: bytes, directory: bytes, file: bytes) -> None:
        tags = self._kinds.get(file)
        if tags is None:
            tags = self._kinds[file] = identify.tags_from_filename(os.fsdecode(file))
        if "python" in tags:
            self._modules.setdefault(directory, []).append(module_name(file))
        elif not tags and head.startswith(b"100755"):
            self._scripts[path] = blob_of(head)


def checked_out_wide(rules: Iterable[bytes]) -> dict[bytes, str]:
    """Return the ignore files that a checkout converts to UTF-16 or UTF-32, with the encoding."""
    from pycache_guard.git.checkout import check_attr

    encodings = check_attr("working-tree-encoding", [*rules], require_toplevel())
    return {
        path: os.fsdecode(encoding)
        for path, encoding in encodings.items()
        if encoding.upper().startswith((b"UTF-16", b"UTF-32"))
    }


def blob_of(head: bytes) -> str:
    """Return the object id of a record."""
    return head.split(b" ")[1].decode("ascii")


def is_script(head: bytes) -> bool:
    """Return whether a file that begins with `head` has a Python shebang, by the rules of identify."""
    command = identify.parse_shebang(io.BytesIO(head))
    return bool(command) and "python" in identify.tags_from_interpreter(command[0])
