"""Sources with secrets in every place from which bytecode keeps a string, by Python version.

Run as a program, this writes the fixtures: `python -m inspection.planted NAME COMMAND...` has the
interpreter that COMMAND starts compile the sources, and stores the files as text in `planted/NAME.txt`.
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path

FIXTURES = Path(__file__).parent / "planted"

#: The first version that has the syntax, and lines. `planted…` and `31337…` are the secrets.
SNIPPETS: list[tuple[tuple[int, int], str]] = [
    (
        (2, 7),
        '''
import os.path as planted_alias
from os import path as planted_from
x = obj = call = planted_decorator = None
CONSTANT = "planted-constant"
planted_global = ("planted-tuple", ("planted-nested-tuple", 2))
binary = b"\\x00\\x01planted-binary\\xff"
other = b"planted-bytes"
number = 3133700001
large = 31337000000000000000000000000002
negative = -3133700003
url = "https://user:planted-password@host/"
lines = """first line
planted-second-line
"""
accent = u"\\u00e9 planted-unicode"
table = {"planted-key": "planted-value"}
folded = "planted-folded-first " + "planted-folded-second"
joined = ("planted-joined-first "
          "planted-joined-second")
repeated = "planted-repeated" * 2
anonymous = lambda: "planted-lambda"
listed = ["planted-comprehension" for _ in ()]
generated = ("planted-generator" for _ in ())


def function(a="planted-default", planted_argument=None, *planted_args, **planted_kwargs):
    """Return nothing.

    planted-function-docstring
    """
    global planted_global_statement
    planted_global_statement = 1
    planted_local = "planted-in-function"
    call(planted_keyword="planted-keyword-value")
    obj.planted_method_call("planted-call")
    del obj.planted_deleted
    if a in ("planted-in-tuple", "b") or a in {"planted-in-set", "c"}:
        return a["planted-subscript"], a[3133700004:3133700005]
    if a == "planted-comparison":
        raise ValueError("planted-exception")
    try:
        assert a, "planted-assert"
    except planted_Exception:
        import planted_module
        from planted_package import planted_member
    return "%s planted-percent-format" % a


class planted_Class(object):
    """planted-class-docstring"""

    token = "planted-class-constant"
    planted_class_attribute = 1

    def planted_method(self):
        """planted-method-docstring"""
        self.planted_instance_attribute = "planted-in-method"

    class planted_Inner:
        token = "planted-inner-class"


def outer():
    planted_cell = "planted-closure"

    def inner():
        return planted_cell + "planted-inner-function"

    return inner


@planted_decorator("planted-decorator-argument")
def decorated():
    yield "planted-yield"
''',
    ),
    (
        (3, 6),
        """
variable: "planted-variable-annotation" = 1


def annotated(a: "planted-parameter-annotation", *, planted_kwonly="planted-kwonly-default") -> "planted-return-annotation":
    planted_nonlocal = "planted-nonlocal"

    def inner():
        nonlocal planted_nonlocal
        planted_nonlocal = f"planted-fstring-{x}-tail {x:>10} planted-fstring-end"
        return f"{planted_fstring_name!r}{x:planted-format-spec}"

    return inner


class Annotated:
    planted_field: "planted-field-annotation" = 1


async def coroutine():
    async with planted_context("planted-async"):
        await planted_awaited
""",
    ),
    (
        (3, 8),
        """
def positional(planted_positional, /, a=(planted_walrus := "planted-walrus-value")):
    return f"{planted_debug=}"
""",
    ),
    (
        (3, 10),
        """
def matching(value):
    match value:
        case "planted-match-literal":
            return 1
        case {"planted-match-key": 1, **planted_match_rest}:
            return 2
        case Point(planted_match_attribute="planted-match-value"):
            return 3
        case [b"planted-match-bytes", *planted_match_star]:
            return 4
        case 3133700006:
            return "planted-match-result"
""",
    ),
    (
        (3, 11),
        """
try:
    pass
except* planted_Group:
    x = "planted-except-star"
""",
    ),
    (
        (3, 12),
        """
type planted_Alias = "planted-alias-value"


class Generic[planted_T: "planted-bound"]:
    def method[planted_U](self):
        return f"{'planted-quoted' + "planted-requoted"}"
""",
    ),
    ((3, 13), '\nclass Defaults[planted_V = "planted-type-default"]:\n    pass\n'),
    ((3, 14), '\ntemplate = t"planted-tstring {x} planted-tstring-end"\n'),
]
#: Annotations that are kept as strings; a future import is for a whole module.
FUTURE = '''"""planted-future-docstring"""
from __future__ import annotations

variable: planted_future_name = 1


def function(a: planted_future_parameter, b: "planted-future-string") -> Dict["planted-future-key", int]:
    pass
'''
SECRET = re.compile(r"planted[\w-]*|31337\d+")


def write_sources(version: tuple[int, int]) -> list[str]:
    """Return the sources for a Python version."""
    start = '# -*- coding: utf-8 -*-\n"""Module.\n\nplanted-module-docstring\n"""\n'
    source = start + "".join([text for first, text in SNIPPETS if first <= version])
    return [source, FUTURE] if version >= (3, 7) else [source]


def find_secrets(source: str) -> set[str]:
    """Return the secrets of a source."""
    return set(SECRET.findall(source))


def remove_secrets(source: str) -> str:
    """Return a source with other words in the place of the secrets."""
    return source.replace("planted", "removed").replace("31337", "42424")


def parse_version(name: str) -> tuple[int, int]:
    """Return the version of the language: of `cpython-313` 3.13, of `pypy-311` 3.11."""
    digits = name.rpartition("-")[2]
    return int(digits[0]), int(digits[1:])


def read_fixture(name: str) -> list[tuple[str, bytes]]:
    """Return the sources of a fixture, each with the file that its interpreter compiled it to."""
    lines = (FIXTURES / f"{name}.txt").read_text("ascii").splitlines()
    sources = write_sources(parse_version(name))
    return list(zip(sources, map(base64.b64decode, lines), strict=True))


#: Runs in any Python from 2.7 on: source on stdin, the file in base64 on stdout.
CHILD = """
import base64, marshal, struct, sys
try:
    from importlib.util import MAGIC_NUMBER as magic
except ImportError:
    import imp
    magic = imp.get_magic()
source = getattr(sys.stdin, "buffer", sys.stdin).read()
code = compile(source, "planted.py", "exec", 0, True)
header = {True: 16, False: 12 if sys.version_info >= (3, 3) else 8}[sys.version_info >= (3, 7)] - 4
print(base64.b64encode(magic + b"\\0" * header + marshal.dumps(code)).decode())
"""


def write_fixture(name: str, command: list[str]) -> None:
    """Have an interpreter compile the sources of its version, and store the files."""
    files = [
        subprocess.run(
            [*command, "-c", CHILD], input=source.encode(), capture_output=True, check=True
        )
        for source in write_sources(parse_version(name))
    ]
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"{name}.txt").write_bytes(b"".join([file.stdout for file in files]))


if __name__ == "__main__":
    write_fixture(sys.argv[1], sys.argv[2:])
