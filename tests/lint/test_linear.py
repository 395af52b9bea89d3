"""The work for one source grows with its findings, not with their square."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.lint import lint_source

if TYPE_CHECKING:
    from types import FrameType

#: What a source begins with, and what is repeated, `{i}` being the number of the repetition.
GROWING = {
    "noqa": ("import marshal\n", "marshal.loads(d[16:])  # noqa: E501\n"),
    "scopes": ("import marshal\n", "def f{i}(f):\n    f.read(16)\n    return marshal.load(f)\n"),
    "streams": ("import marshal\n", "f.read(16)\nmarshal.load(f)\nf.seek(0)\n"),
    "bindings": ("import marshal\n", "c = c.x(marshal.loads(d))\nexec(c)\n"),
    "unmarshalled": ("import marshal\n", "c = marshal.loads(d)\nexec(c)\n"),
    "parameters": ("import runpy\n", "def f{i}(p):\n    runpy.run_path(p)\nf{i}('a.pyc')\n"),
    "paths": ("", "p{i} = d + '/__pycache__/' + n + '.pyc'\nstr(p{i})\n"),
    "origins": (
        "import os, py_compile  # get_tag\nx = os\n",
        "x = x.a{i}\npy_compile.compile(x)\n",
    ),
    "stack": (
        (
            "import contextlib\nfrom importlib.util import source_from_cache as s\n"
            "with contextlib.ExitStack() as t:\n"
        ),
        "    t.enter_context(x)\n    s(p)\n",
    ),
    "commands": (
        "import subprocess\n",
        (
            "c{i} = ['python', '-m', 'compileall', '--invalidation-mode', 'checked-hash']\n"
            "subprocess.run(c{i})\n"
        ),
    ),
    "one line": ("import marshal\n", "marshal.loads(d[16:]); "),
}


def calls(source: str) -> int:
    """Return how many Python functions are called while a source is linted."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(trace)
    try:
        lint_source(source.encode(), "pkg/a.py")
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", GROWING)
def test_work_grows_linearly_with_the_source(name: str) -> None:
    start, repeated = GROWING[name]
    few, many = (
        calls(start + "".join(repeated.replace("{i}", str(i)) for i in range(n))) for n in (60, 120)
    )
    assert many < 2.3 * few


def test_ten_times_as_many_findings_take_hardly_more_than_ten_times_the_work() -> None:
    """With a `# noqa` comment read anew for each finding, 2000 of them took 74 s."""
    start, line = GROWING["noqa"]
    assert calls(start + line * 2000) < 11 * calls(start + line * 200)


def test_name_that_is_bound_to_itself_many_times_is_followed_once() -> None:
    """Followed once for each binding and hop, 20 lines took 44 s."""
    assert lint_source(b"import imp\n" + b"x = x.get_tag\n" * 200 + b"x\n", "a.py") == []
