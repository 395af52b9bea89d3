"""Which files of the index hold given words, by `git grep`."""

from __future__ import annotations

from pycache_guard.git.process import Git

#: Every word must stand in the file: a key `services` at the start of a line, and `build`.
_WORDS = (
    "--extended-regexp",
    "--all-match",
    "-e",
    "^[\"']?services[\"']?[[:space:]]*:",
    "-e",
    "build",
)


def files_with_words() -> list[bytes]:
    """Return the tracked YAML files that may be compose files, as paths from the top.

    Settings of the user that change what is searched or written are overruled.
    """
    search = Git(
        "grep",
        *("--cached", "--files-with-matches", "-z", "--full-name", "-I"),
        *("--no-color", "--no-recurse-submodules", "--no-textconv"),
        *_WORDS,
        *("--", ":(top,icase,glob)**/*.yml", ":(top,icase,glob)**/*.yaml"),
    )
    listed = b"".join(iter(search.read, b""))
    search.wait(allowed=(0, 1))  # 1: no such file
    return listed.split(b"\0")[:-1]
