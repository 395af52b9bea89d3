"""Ask git for attributes, as the index has them: gitattributes(5)."""

from __future__ import annotations

import tempfile

from pycache_guard.git.process import Git
from pycache_guard.git.process import environment
from pycache_guard.git.process import parsing_output
from pycache_guard.git.repository import options_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

#: What git answers where an attribute has no value.
UNSET_VALUES = (b"unspecified", b"unset", b"set")


def check_attr(attribute: str, paths: Collection[bytes], top: str) -> dict[bytes, bytes]:
    """Return the value of an attribute for those paths that have one, by the index alone.

    Neither this person's attributes nor the system's count.
    """
    with tempfile.TemporaryFile() as questions:
        questions.write(b"".join(path + b"\0" for path in paths))
        questions.seek(0)
        answers = Git(
            *(*options_at(top), "-c", "core.attributesFile=/dev/null"),
            *("check-attr", "--cached", "-z", "--stdin", attribute),
            stdin=questions.fileno(),
            env=environment(GIT_ATTR_NOSYSTEM="1"),
        ).output()
    fields = answers.split(b"\0")
    with parsing_output("check-attr"):
        answered = zip(paths, fields[0:-1:3], fields[2::3], strict=True)
        return {path: value for path, _, value in answered if value not in UNSET_VALUES}
