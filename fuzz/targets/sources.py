"""Python source of any kind: the linter never crashes, and hears `# noqa` as flake8 does."""

from __future__ import annotations

from functools import partial

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.lint import lint_source
from pycache_guard.lint.source import (
    Suppressions,
    Unparsable,
    decode_source,
    lines_of,
    parse_source,
)

WORDS = (
    *(b"import marshal\n", b"import importlib.util as u\n", b"from py_compile import compile\n"),
    *(b"marshal.loads(", b"d[16:]", b"exec(", b"open(", b"'x.pyc'", b"os.remove(", b"sys.", b"u."),
    *(
        b"dont_write_bytecode",
        b" = True",
        b"subprocess.run(['python', '-m', 'compileall'])",
        b"f'{",
    ),
    *(
        b"(",
        b")",
        b"\n",
        b"\n    ",
        b"lambda: ",
        b"def f(x=",
        b"class A:\n ",
        b"try:\n x\nfinally:\n",
    ),
    *(
        b"# coding: latin-1\n",
        b"\xef\xbb\xbf",
        b"\x0c",
        b"\0",
        b"\\\n",
        b'"""',
        b"async ",
        b"await ",
    ),
    *(b"-1", b"[:4]", b"[::0]", b"*", b"**", b":=", b"match x:\n case ", b"global x\n", b"\xe9"),
)
COMMENTS = (
    *(b"# noqa", b"#noqa", b"# NOQA", b":", b": ", b"PYC401", b"PYC4", b"E501", b",", b" ", b"\t"),
    *(
        b"# flake8: noqa",
        b"# flake8=noqa",
        b"'''",
        b"\n",
        b"\\\n",
        b"(",
        b")",
        b"x",
        b"#",
        b"\xc2\xb2",
    ),
)


def lint(data: bytes) -> str:
    """Lint a source: findings within it, or words why it cannot be read."""
    try:
        findings = lint_source(data, "a.py")
    except Unparsable as why:
        assert str(why).startswith("a.py:")
        return "unparsable"
    lines = len(lines_of(decode_source(data, "a.py"))) + 1
    for found in findings:
        assert found.line is not None
        assert found.end_line is not None
        assert 1 <= found.line <= found.end_line <= lines
        assert found.column is not None
        assert found.column >= 1
    return "findings" if findings else "clean"


def noqa(data: bytes) -> str:
    """Ask of every line whether PYC401 is silenced there, and flake8 the same."""
    try:
        text = decode_source(data, "a.py").removeprefix("\ufeff")
        parse_source(text, "a.py")
    except Unparsable:
        return "unparsable"
    lines = lines_of(text)
    theirs = flake8s(lines)
    suppressions = Suppressions(lines)
    ours = [suppressions.cover(line, "PYC401") for line in range(1, len(lines) + 1)]
    assert ours == theirs
    return "silent" if any(ours) else "reported"


def flake8s(lines: list[str]) -> list[bool]:
    """Let flake8 itself say which lines are silenced."""
    from flake8.processor import FileProcessor
    from flake8.violation import Violation

    processor = FileProcessor("a.py", Options, [*lines])
    if processor.should_ignore_file():
        return [True] * len(lines)
    found = []
    for number, line in enumerate(lines, start=1):
        physical = processor.noqa_line_for(number)
        violation = Violation(
            "PYC401", "a.py", number, 1, "", line if physical is None else physical
        )
        found.append(violation.is_inline_ignored(disable_noqa=False))
    return found


class Options:
    """What flake8 asks its options."""

    hang_closing = False
    indent_size = 4
    max_line_length = 79
    max_doc_length = None
    verbose = 0
    disable_noqa = False
    stdin_display_name = "a.py"


TARGETS = {
    "lint": Target(lint, partial(seeds, "lint"), WORDS),
    "noqa": Target(noqa, partial(seeds, "noqa"), COMMENTS),
}
