"""Compare `inspect --diff` with interpreters over single edits of sources.

    python -m inspection.check_single_edits [COMMAND...]

Each COMMAND starts an interpreter, such as `python3.8`; without one, those of this machine are used. The interpreter
compiles a source and each of its edits, and says whether the code objects differ: in anything but file names and
line numbers. The exit code is 1 if `inspect --diff` says something else, or calls a changed comment or file name
different code.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from inspection.planted import write_sources
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.inspection.diff import compare_files
from pycache_guard.interpreters.pool import find_candidates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Statements that the planted sources do not have.
MORE = """
def arithmetic(a, b):
    # a comment
    total = a + b * 2 - 3
    while total < 100 and not b:
        total += 1  # another comment
        if total == 7:
            continue
    for item in range(3):
        total = total if item else -total
    return total, [a, b], {"one": 1, "two": 2}, (1, 1.5, 2j), total[1:2]


# a comment before a class
class Shape(object):
    size = 3
    sides = 4

    def area(self):
        return self.size * self.sides
"""
#: Runs in any Python from 2.7 on: versions of a source on stdin, the files and the verdicts on stdout.
CHILD = r"""
import base64, json, marshal, struct, sys
try:
    from importlib.util import MAGIC_NUMBER as magic
except ImportError:
    import imp
    magic = imp.get_magic()
header = {True: 16, False: 12 if sys.version_info >= (3, 3) else 8}[sys.version_info >= (3, 7)] - 4
LINES = ("co_filename", "co_firstlineno", "co_lnotab", "co_linetable", "co_lines", "co_positions")

def fields(code):
    names = [n for n in dir(code) if n.startswith("co_") and n not in LINES]
    return [(n, getattr(code, n)) for n in names if not callable(getattr(code, n))]

def flat(value):
    if hasattr(value, "co_code"):
        return ["code"] + [(n, flat(v)) for n, v in fields(value)]
    if isinstance(value, (tuple, list)):
        return [type(value).__name__] + [flat(v) for v in value]
    if isinstance(value, frozenset):
        return ["frozenset"] + sorted([flat(v) for v in value], key=repr)
    return [type(value).__name__, repr(value)]

def compiled(source, name):
    try:
        return compile(source.encode("utf-8"), name, "exec", 0, True)
    except (SyntaxError, ValueError):
        return None

import warnings
warnings.simplefilter("ignore")
edits = json.loads(getattr(sys.stdin, "buffer", sys.stdin).read().decode("utf-8"))
first = flat(compiled(*edits[0]))
found = []
for edit in edits:
    code = compiled(*edit)
    if code is None:
        found.append(None)
    else:
        data = base64.b64encode(magic + b"\0" * header + marshal.dumps(code)).decode()
        found.append([data, flat(code) == first])
print(json.dumps([list(sys.version_info[:2]), found]))
"""


class Edit(NamedTuple):
    """A source, its file name, and what was edited."""

    kind: str
    source: str
    name: str = "m.py"


#: Edits that leave the code as it is.
HARMLESS = ("comment", "comment line", "file name")
_TOKENS = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<triple>\"\"\".*?\"\"\")|(?P<string>\"[^\"\n]*\")|(?P<number>\b\d+\b)"
    r"|(?P<name>\b[a-z_]\w*\b)|(?P<operator> [-+*<>] )",
    re.DOTALL,
)
_OPERATORS = {" + ": " - ", " - ": " + ", " * ": " / ", " < ": " > ", " > ": " < "}


def edit_source(source: str) -> Iterator[Edit]:
    """Yield the source, then edits of it in one place each; some are not valid Python."""
    yield Edit("nothing", source)
    yield Edit("file name", source, "/another/place.py")
    for token in _TOKENS.finditer(source):
        kind = token.lastgroup or ""
        text = token[0]
        changed = {
            "comment": f"{text} and more",
            "triple": f"{text[:-3]}x{text[-3:]}",
            "string": f'{text[:-1]}x"',
            "number": f"{text}1",
            "name": f"{text}_x",
            "operator": _OPERATORS.get(text, text),
        }[kind]
        # A line that names the encoding is more than a comment.
        if not text.startswith("# -*-"):
            yield Edit(kind, source[: token.start()] + changed + source[token.end() :])
    lines = source.splitlines(keepends=True)
    inside = False
    for number, line in enumerate(lines):
        rest = "".join(lines[number:])
        before = "".join(lines[:number])
        inside ^= line.count('"""') % 2 == 1
        if (
            number > 1
            and not inside
            and before.count('"""') % 2 == 0
            and not line.startswith(" " * 10)
        ):
            yield Edit("comment line", f"{before}# one more line\n{rest}")
        if line.strip():
            # Without a change of the lines that follow: class bodies of 3.13 store their own.
            after = "".join(lines[number + 1 :])
            yield Edit("removed line", f"{before}\n{after}")
            yield Edit("repeated line", f"{before}{line.rstrip()}; {line.strip()}\n{after}")


def check_interpreter(
    command: Sequence[str], sources: Sequence[str]
) -> tuple[Counter[str], list[str]]:
    """Return counts of pairs, and one line for each wrong answer."""
    counts: Counter[str] = Counter()
    wrong = []
    for source in sources:
        edits = [*edit_source(source)]
        asked = json.dumps([[edit.source, edit.name] for edit in edits]).encode()
        done = subprocess.run([*command, "-c", CHILD], input=asked, capture_output=True, check=True)
        files = json.loads(done.stdout)[1]
        first = read_pyc(base64.b64decode(files[0][0]))
        for edit, file in zip(edits, files, strict=True):
            if file is None:
                continue
            diff = compare_files(first, read_pyc(base64.b64decode(file[0])))
            expected = file[1] or edit.kind in HARMLESS
            counts["same" if expected else "different"] += 1
            listed = [
                c for c in diff.changes if c.kind not in ("header", "file names", "line tables")
            ]
            if diff.is_same != expected or bool(listed) == expected:
                changed = [*set(edit.source.splitlines()) - set(source.splitlines())]
                wrong.append(f"{shlex.join(command)}: {edit.kind}, {changed[:1]}: {diff}")
    return counts, wrong


def version_of(command: Sequence[str]) -> tuple[int, int]:
    """Return the version of an interpreter."""
    program = "import sys; print('%d %d' % sys.version_info[:2])"
    major, minor = subprocess.check_output([*command, "-c", program], text=True).split()
    return int(major), int(minor)


def main(argv: Sequence[str]) -> int:
    """Print the counts of each interpreter, and every wrong answer."""
    commands = [shlex.split(text) for text in argv] or [[path] for path in find_candidates("3")]
    total: Counter[str] = Counter()
    failed = 0
    for command in commands:
        try:
            version = version_of(command)
        except (OSError, ValueError, subprocess.CalledProcessError):
            continue
        sources = [text + MORE for text in write_sources(version)]
        counts, wrong = check_interpreter(command, sources)
        print(shlex.join(command), version, dict(counts), *wrong, sep="\n  ", flush=True)
        total += counts
        failed += len(wrong)
    print("all", dict(total), f"{failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
