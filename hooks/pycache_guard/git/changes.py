"""What is new: where the index, or a tree, differs from a commit."""

from __future__ import annotations

from pycache_guard.git.listing import blob_of
from pycache_guard.git.listing import blocks
from pycache_guard.git.listing import has_content
from pycache_guard.git.listing import names_attributes
from pycache_guard.git.process import Reading
from pycache_guard.git.process import git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.git.process import Git


class Changes:
    """The answer of `diff-index` or `diff-tree` with `RAW`, read to its end."""

    def __init__(self, process: Git) -> None:
        fields = b"".join(blocks(process)).split(b"\0")
        with Reading("diff"):
            #: (head, path) pairs as git wrote them; nothing is parsed until it is asked for.
            self._pairs = list(zip(fields[:-1:2], fields[1::2], strict=True))

    def records(self) -> list[bytes]:
        """Return what stands at each path that differs, for `listing.parse`.

        What was deleted does not stand.
        """
        return [record for record, _ in self._sides()]

    def touch_attributes(self) -> bool:
        """Return whether a `.gitattributes` is among what differs, one that was deleted included."""
        return any(names_attributes(path) for _, path in self._pairs)

    def delete_everything(self) -> bool:
        """Return whether there are differences, and every one is a deletion."""
        return bool(self._pairs) and not self._sides()

    def new_files(self) -> list[bytes]:
        """Return the records of the files whose content differs from that of the file at the same path.

        The blob of a symbolic link is content too. Where a link becomes a file, or a file a link, it
        is new, even if the blob is the same.

        Of a path in conflict, every stage: which will be chosen is not known.
        """
        return [
            record
            for record, old in self._sides()
            if has_content(record) and blob_of(record) != old
        ]

    def _sides(self) -> list[tuple[bytes, str]]:
        sides = []
        conflicts = False
        for head, path in self._pairs:
            with Reading("diff"):
                was, mode, old, blob, status = head.decode("ascii").split(" ")
            if status == "U":
                conflicts = True
            elif status != "D":
                same = old if was[1:4] == mode[:3] else ""
                sides.append((f"{mode} {blob}\t".encode() + path, same))
        if conflicts:
            stages = git("ls-files", "--unmerged", "-z", "--full-name", "--", ":/")
            sides += [(record, "") for record in stages.split(b"\0")[:-1]]
        return sides
