"""Every string of a file, each once, one per line."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import compile_source, foreign_pyc, timestamp_pyc, write_file
from helpers.windows import words_of_missing_file
from inspection.planted import FIXTURES, find_secrets, read_fixture
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.code_object import Code
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.inspection.strings import (
    FoundString,
    ListedStrings,
    collect_strings,
    escape_string,
    find_strings,
    list_strings,
    write_lines,
    write_number,
    write_value,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

NAMES = sorted(path.stem for path in FIXTURES.glob("*.txt"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pyc_of(source: str) -> bytes:
    return timestamp_pyc(compile_source(source), 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_secret_of_every_interpreter_is_printed(name: str) -> None:
    for source, data in read_fixture(name):
        lines = write_lines(collect_strings(data, None))
        assert {
            secret for secret in find_secrets(source) if not any(secret in x for x in lines)
        } == set()
        assert len(lines) == len(set(lines))
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_fast_reading_finds_what_the_tree_contains(name: str) -> None:
    for _, data in read_fixture(name):
        pyc = read_pyc(data)
        listed = collect_strings(data, None)
        found = [*find_strings(pyc.code, pyc.header.magic)]
        numbers = {string.value for string in found if isinstance(string.value, int)}
        texts = {string.text for string in found if not isinstance(string.value, int)}
        assert {data.decode("utf-8", "surrogateescape") for data in listed.strings} == texts - {""}
        assert {*listed.numbers} == numbers
        assert listed.problem == ""


ESCAPES = [
    ("plain", "plain"),
    ("back\\slash", "back\\slash"),
    ("two\nlines", "two\\nlines"),
    ("\ttab\r", "\\ttab\\r"),
    ("\0\x1b[31m\x7f", "\\x00\\x1b[31m\\x7f"),
    ("\u202eabc", "\\xe2\\x80\\xaeabc"),
    ("é 文", "é 文"),
    ("\udcff", "\\xff"),
    ("\ud800", "\\xed\\xa0\\x80"),
    ("##vso[x]", "#\\x23vso[x]"),
    ("::set-output name=a::b", "\\x3a:set-output name=a::b"),
    (" ::debug::", " \\x3a:debug::"),
    ("a::b", "a::b"),
    ("x" * 2_000_000 + "\n", "x" * 2_000_000 + "\\n"),
]


@pytest.mark.parametrize(("text", "line"), ESCAPES, ids=range(len(ESCAPES)))
def test_string_is_one_printable_line(text: str, line: str) -> None:
    assert escape_string(text) == line
    data = text.encode(
        "utf-8", "surrogateescape" if "\udc80" <= text[0] <= "\udcff" else "surrogatepass"
    )
    assert write_lines(ListedStrings({data: None}, {}, ""))[0] == line


def test_part_of_a_string_that_an_escape_would_join_to_a_word_is_repeated() -> None:
    strings = [
        b"first\nAKIAQ3EXAMPLE\n  indented\nshort",
        b"\x00\x01ghp_token_1",
        b"repeated",
        b"\nrepeated",
    ]
    lines = write_lines(ListedStrings(dict.fromkeys(strings), {123456: None}, ""))
    assert lines == [
        "first\\nAKIAQ3EXAMPLE\\n  indented\\nshort",
        "\\x00\\x01ghp_token_1",
        "repeated",
        "\\nrepeated",
        "AKIAQ3EXAMPLE",
        "ghp_token_1",
        "123456",
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (99_999, None),
        (-99_999, None),
        (100_000, "100000"),
        (-100_000, "-100000"),
        (2**63, str(2**63)),
    ],
)
def test_number_with_six_digits_is_printed(number: int, text: str | None) -> None:
    lines = write_lines(collect_strings(pyc_of(f"x = {number}\n"), None))
    assert (text in lines) == (text is not None)


def test_very_large_number_is_printed_in_hexadecimal() -> None:
    assert write_number(2**1023) == str(2**1023)
    assert write_number(2**20_000) == f"{2**20_000:#x}"
    lines = write_lines(collect_strings(pyc_of(f"x = {2**5_000:#x}\n"), None))
    assert f"{2**5_000:#x}" in lines


SOURCE = '''"""Module."""
def f(a, b="default"):
    """Function.

    More.
    """
    return {"key": (b"bytes", 123456789)}, a in ("nested", "default")
class C:
    """Class."""
'''
KINDS = {
    "Module.": ("docstring", "<module>", "consts"),
    "default": ("text", "<module>", "consts"),
    "key": ("text", "f", "consts"),
    "bytes": ("bytes", "f", "consts"),
    "123456789": ("number", "f", "consts"),
    "nested": ("text", "f", "consts"),
    "Class.": ("docstring", "C", "consts"),
    "m.py": ("file name", "<module>", "filename"),
    "__doc__": ("name", "<module>", "names"),
}


def test_place_of_each_string_is_that_of_its_first_use() -> None:
    pyc = read_pyc(pyc_of(SOURCE))
    found = {string.text: string for string in list_strings(pyc.code, pyc.header.magic)}
    assert {
        text: (found[text].kind, found[text].scope, found[text].field) for text in KINDS
    } == KINDS
    (docstring,) = [text for text in found if text.startswith("Function.")]
    assert found[docstring].kind == "docstring"
    constants = compile_source(SOURCE).co_consts
    assert constants[found["Module."].item or 0] == "Module."
    assert found["m.py"].place == "filename of <module>"
    assert found["Module."].place == "consts[0] of <module>"


def test_json_has_the_place_of_each_string(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", pyc_of(f"def f(a):\n    return b'\\xff-raw', 'text', {2**60}\n"))
    done = run("inspect", "--strings", "--format", "json", "m.pyc")
    assert (done.code, done.err) == (0, "")
    (file,) = json.loads(done.out)["files"]
    assert (file["path"], file["revision"], file["problem"], file["omitted"]) == (
        "m.pyc",
        None,
        None,
        0,
    )
    strings = {string["value"]: string for string in file["strings"]}
    assert base64.b64decode(strings["\\xff-raw"]["value_base64"]) == b"\xff-raw"
    text = strings["text"]
    assert (text["kind"], text["code"], text["line"], text["field"]) == ("text", "f", 1, "consts")
    assert isinstance(text["index"], int)
    assert strings[str(2**60)]["kind"] == "number"
    assert strings["a"]["kind"] == "name"


def test_strings_are_printed_one_per_line(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", pyc_of("x = 'one\\ntwo'\n"))
    done = run("inspect", "--strings", "m.pyc")
    assert (done.code, done.err) == (0, "")
    assert sorted(done.out.splitlines()) == sorted(["one\\ntwo", "x", "m.py", "<module>"])


def test_limit_is_stated(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", pyc_of("x = 'one\\ntwo'\n"))
    done = run("inspect", "--strings", "--limit", "2", "m.pyc")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert done.err == "note: m.pyc: 2 of 4 strings are shown\n"
    report = json.loads(run("inspect", "--strings", "--limit", "1", "--format=json", "m.pyc").out)
    assert (len(report["files"][0]["strings"]), report["files"][0]["omitted"]) == (1, 3)


def test_output_is_a_file(here: Path, run: Run) -> None:
    write_file(here / "m.pyc", pyc_of("x = 'one'\n"))
    assert run("inspect", "--strings", "--output", "report", "m.pyc", "m.pyc") == (0, "", "")
    assert (here / "report").read_text().splitlines().count("one") == 2


DAMAGED = [
    (
        "m.pyc",
        pyc_of("x = 'a planted string'\n" * 2)[:-20],
        "not well-formed: marshal data too short at",
    ),
    (
        "m.pyc",
        pyc_of("x = 'a planted string'\n") + b"more\n",
        "not well-formed: 5 bytes after the code",
    ),
    (
        "m.pyc",
        pyc_of("x = 'a planted string'\n")[16:],
        "it contains marshalled code without a header",
    ),
    ("m.pyc", b"x = 'a planted string'\n", "not well-formed: it contains Python source"),
    (
        "m.pyc",
        b"\x31\x13\r\n" + bytes(12) + b"a planted string",
        "the code of CPython 3.40 cannot be read",
    ),
    (
        "m.pyc",
        b"\x31\x13\r\n" + pyc_of("x = 'a planted string'\n")[4:],
        "the code of CPython 3.40 cannot be read",
    ),
    (
        "m.pyc",
        pyc_of("x = 'a planted string'\n")[:16] + b"?a planted string",
        "unknown type code 0x3f",
    ),
]


@pytest.mark.parametrize(("path", "data", "words"), DAMAGED)
def test_strings_of_damaged_code_are_printed_with_a_note(
    here: Path, run: Run, path: str, data: bytes, words: str
) -> None:
    write_file(here / path, data)
    for options in ([], ["--format", "json"]):
        done = run("inspect", "--strings", *options, path)
        assert done.code == 1
        assert "a planted string" in done.out
        assert done.err.startswith(f"note: {path}: ")
        assert words in done.err


def test_code_of_another_implementation_is_searched_for_printable_text() -> None:
    name = parse_cache_name("__pycache__/m.rustpython-01.pyc")
    data = (2997).to_bytes(2, "little") + b"\r\n" + bytes(12) + b"\1\2a planted string\0"
    assert [*collect_strings(data, name).strings] == [b"a planted string"]


@pytest.mark.parametrize("options", [[], ["--format", "json"]])
def test_unreadable_file_ends_with_2_and_hides_no_other(
    here: Path, run: Run, options: list[str]
) -> None:
    write_file(here / "m.pyc", pyc_of("x = 'one'\n"))
    done = run("inspect", "--strings", *options, "nowhere.pyc", "m.pyc")
    assert (done.code, done.err) == (2, f"error: nowhere.pyc: {words_of_missing_file()}\n")
    assert "one" in done.out


def test_strings_in_git(repo: object, run: Run) -> None:
    from helpers.repo import Repo

    assert isinstance(repo, Repo)
    repo.add("p/m.pyc", pyc_of("x = 'one'\n"))
    repo.commit()
    assert "one" in run("inspect", "--strings", "HEAD:p/m.pyc").out.splitlines()


@pytest.mark.parametrize(
    "argv",
    [
        ["--strings", "--leaks", "m.pyc"],
        ["--strings", "--code", "m.pyc"],
        ["--limit", "2", "m.pyc"],
        ["--strings", "--limit", "0", "m.pyc"],
        ["--strings", "--limit", "two", "m.pyc"],
        ["--strings", "--limit", "", "m.pyc"],
        ["--strings", "--format", "sarif", "m.pyc"],
        ["--against", "HEAD", "m.pyc"],
        ["--strings", "--python", sys.executable, "m.pyc"],
        ["--diff", "m.pyc"],
        ["--diff", "m.pyc", "n.pyc", "o.pyc"],
    ],
)
def test_wrong_usage_ends_with_2(run: Run, argv: list[str]) -> None:
    done = run("inspect", *argv)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")


def test_strings_of_old_versions(here: Path, run: Run) -> None:
    for tag in ("cpython-27", "pypy39"):
        write_file(here / f"{tag}.pyc", foreign_pyc(tag))
        assert "basic.py" in run("inspect", "--strings", f"{tag}.pyc").out


def test_string_without_a_place_has_an_empty_one() -> None:
    assert FoundString(b"x", "bytes", "", 0, "", None).place == ""


def test_tuple_that_functions_share_is_read_once() -> None:
    module = compile_source("def f(): return 'one', 'two'\n")
    inner = compile_source("x = 1.5\n").replace(co_consts=("shared", 2.5))
    again = inner.replace(co_name="again")
    data = timestamp_pyc(module.replace(co_consts=(inner, again, *module.co_consts)), 0)
    pyc = read_pyc(data)
    found = [
        string for string in find_strings(pyc.code, pyc.header.magic) if string.text == "shared"
    ]
    assert 1 <= len(found) <= 2
    tree = pyc.code
    consts = [value for value in tree.consts if isinstance(value, Code)]
    consts[1].fields["consts"] = consts[0].consts
    found = [string for string in find_strings(tree, pyc.header.magic) if string.text == "shared"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"x" * 2001, f"{b'x' * 2000!r}… (2,001 bytes)"),
        ("x" * 2001, f"{'x' * 2000!r}… (2,001 characters)"),
        (16**2000 - 1, f"0x{'f' * 1998}… (2,002 characters)"),
        (123456, "123456"),
    ],
    ids=["bytes", "text", "large number", "number"],
)
def test_long_value_is_cut(value: str | bytes | int, text: str) -> None:
    assert write_value(value) == text
