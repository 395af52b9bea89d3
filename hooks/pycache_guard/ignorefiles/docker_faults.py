"""Why a line of a `.dockerignore` that is meant for bytecode does not do what it was meant to."""

from __future__ import annotations

from pycache_guard.ignorefiles.dockerignore import Dockerignore
from pycache_guard.ignorefiles.gitignore import has_comment
from pycache_guard.ignorefiles.gitignore import holds_several
from pycache_guard.ignorefiles.gitignore import is_miscased
from pycache_guard.ignorefiles.gitignore import meant_for_bytecode
from pycache_guard.ignorefiles.gitignore import part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence


def faults(content: bytes, samples: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield number, text and fault of each line that was written for bytecode in vain.

    So is one that keeps none of `samples` out, paths below the context's top. `content` must be one
    that `Dockerignore` takes.
    """
    for number, line in meant_for_bytecode(content):
        if not any(map(Dockerignore(line).excludes, samples)):
            yield number, line.decode("utf-8").strip(), fault(line.strip())


def fault(line: bytes) -> str:
    """Say what is wrong with a line."""
    return next((why for applies, why in _FAULTS if applies(line)), _ROOTED)


_ROOTED = "patterns are rooted at the context, unlike git's: `**/` in front matches at every depth"

#: In this order: whether it applies, and the words.
_FAULTS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (has_comment, "a comment must have a line of its own"),
    (lambda p: p[:1] in b"\"'`" or p[-1:] in b"\"'`", "quotes belong to the pattern"),
    (holds_several, "one line holds one pattern"),
    (lambda p: any(c in part(p) for c in b"{|("), "there are no alternatives: `**/*.py[co]`"),
    (lambda p: b"[!" in p, "`[!` excludes nothing from a class: `[^`"),
    (lambda p: b"\\" in p, "a backslash escapes; `/` parts directories"),
    (lambda p: b"pycache" in p and b"__pycache__" not in p, "the directory is `__pycache__`"),
    (lambda p: part(p).startswith(b".py"), "it names one file: `**/*.pyc`"),
    (is_miscased, "upper case is not lower case"),
)
