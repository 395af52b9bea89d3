"""The search for trigger words passes over no source in which a rule finds something."""

from __future__ import annotations

import ast
import io
import keyword
import sysconfig
import tokenize
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.tables import TABLES, of
from pycache_guard.lint import lint, lint_source, run_checks
from pycache_guard.lint.rules import CHECKS
from pycache_guard.lint.source import Unparsable, decode_source, lines_of, parse_source
from pycache_guard.lint.triggers import checks_for, unescape

HIDDEN = [
    ("import marshal\nmarshal.loads(d[16:])", ["PYC401"]),
    ("import \uff4darshal as m\nm.\U0001d425oads(d[16:])", ["PYC401"]),
    ("from \uff4darshal import *\nloads(d[16:])", ["PYC401"]),
    ("import importlib as i\ni.import_module('m\\x61rshal').loads(d[16:])", ["PYC401"]),
    ("import os\nos.remove(p + '.p\\x79c')", ["PYC432"]),
    ("import os\nos.remove(p + '\\56\\160\\171\\143')", ["PYC432"]),
    ("import os\nos.remove(p + '\\u002epyc')", ["PYC432"]),
    ("import os\nos.remove(p + '.\\U00000070yc')", ["PYC432"]),
    ("import os\nos.remove(p + '\\N{FULL STOP}pyc')", ["PYC432"]),
    ("import os\nos.remove(p + '.p\\N{latin small letter y}c')", ["PYC432"]),
    ("import os\nos.remove(p + '.py\\\nc')", ["PYC432"]),
    ("import os\r\nos.remove(p + '.py\\\r\nc')", ["PYC432"]),
    ("import os\ros.remove(p + '.py\\\rc')", ["PYC432"]),
    ("import os\nos.remove(p + '\\\\.p\\x79c')", ["PYC432"]),
    ("import os\nos.remove(p + '\\N{DIGIT ONE}.pyc')", ["PYC432"]),
    # No escape, and no path of bytecode.
    ("import os\nos.remove(p + r'.p\\x79c')", []),
    ("import os\nos.remove(p + '.p\\\\x79c')", []),
    ("import os\nos.remove(p + r'\\N{NO SUCH CHARACTER}.pyc')", ["PYC432"]),
]


@pytest.mark.parametrize(("source", "codes"), HIDDEN)
def test_word_that_only_the_parser_sees_is_found(source: str, codes: list[str]) -> None:
    found = lint(ast.parse(source), lines_of(source), "pkg/mod.py")
    assert [finding.rule.name for finding in found] == codes


@pytest.mark.parametrize(("source", "codes"), HIDDEN)
def test_word_that_only_the_parser_sees_is_found_in_a_file(source: str, codes: list[str]) -> None:
    """As it is read, with the ends of its lines."""
    found = lint_source(source.encode(), "pkg/mod.py")
    assert [finding.rule.name for finding in found] == codes


def find_without_search(tree: ast.Module, text: str, path: str) -> list[object]:
    """Return the findings of every rule, whatever words the source has."""
    return [*run_checks(CHECKS, tree, lines_of(text), path)]


def write_character(data: st.DataObject, character: str, *, is_bytes: bool) -> str:
    """Return a character of a literal as it is or by one of its escapes."""
    number = ord(character)
    forms = [character] * 4 + [f"\\x{number:02x}", f"\\x{number:02X}", f"\\{number:03o}"]
    if not is_bytes:
        forms += [f"\\u{number:04x}", f"\\U{number:08X}", f"\\N{{{unicodedata.name(character)}}}"]
    return data.draw(st.sampled_from(["", "", "", "\\\n"])) + data.draw(st.sampled_from(forms))


def write_name(data: st.DataObject, name: str) -> str:
    """Return an identifier with some letters in forms that the parser normalizes."""
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return name
    return "".join(
        chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() and data.draw(st.booleans()) else c
        for c in name
    )


def write_token(data: st.DataObject, token: tokenize.TokenInfo) -> str:
    """Return a token in another form that means the same."""
    if token.type == tokenize.NAME:
        return write_name(data, token.string)
    prefix, quote, content = token.string.partition(token.string.strip("bBrRuUfFtT")[:1])
    is_plain = token.type == tokenize.STRING and not {*prefix.lower()} & {*"rft"}
    if not is_plain or "\\" in content or content[:1] == quote:
        return token.string
    text = "".join(
        write_character(data, c, is_bytes="b" in prefix.lower()) if c.isascii() and c > " " else c
        for c in content[:-1]
    )
    return f"{prefix}{quote}{text}{quote}"


def write_differently(data: st.DataObject, source: str) -> str:
    """Return a source of the same tree, with other escapes, ends of lines and characters."""
    lines = source.splitlines(keepends=True)
    for token in reversed([*tokenize.generate_tokens(io.StringIO(source).readline)]):
        (row, start), (last, end) = token.start, token.end
        if token.type in (tokenize.NAME, tokenize.STRING) and row == last:
            line = lines[row - 1]
            lines[row - 1] = line[:start] + write_token(data, token) + line[end:]
    return "".join(lines)


SOURCES = sorted({source for table in TABLES.values() for source, _ in table})


@given(st.data())
def test_source_in_other_characters_has_the_same_findings(data: st.DataObject) -> None:
    source, path = of(data.draw(st.sampled_from(SOURCES)))
    rewritten = write_differently(data, source)
    tree, text = ast.parse(source), "".join(lines_of(rewritten))
    assert ast.dump(ast.parse(text)) == ast.dump(tree)
    found = lint(ast.parse(text), lines_of(text), path)
    assert found == find_without_search(ast.parse(text), text, path)
    codes = sorted(f.rule.name for f in lint(tree, lines_of(source), path))
    assert sorted(f.rule.name for f in found) == codes


@given(st.text(alphabet="\\xuUN{}012467abdef.pyco_'\r\n LATINSMETRP-"))
def test_unescaped_text_keeps_words(text: str) -> None:
    """What is replaced has a digit, a space or a brace after its first letter: no word has."""
    joined = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\\n", "")
    for word in (".pyc", ".pyo", "py_co"):
        assert unescape(text).count(word) >= joined.count(word)


def library_files() -> list[Path]:
    """Return the sources of the standard library, but for what others have installed."""
    library = Path(sysconfig.get_path("stdlib"))
    return sorted(
        path
        for path in library.glob("**/*.py")
        if "-packages" not in str(path.relative_to(library))
    )


def compare_on(files: list[Path]) -> None:
    """Compare the findings with those of every rule on each file that can be parsed."""
    for file in files:
        try:
            text = decode_source(file.read_bytes(), "a.py")
            tree = parse_source(text, "a.py")
        except Unparsable:
            continue
        found = lint(tree, lines_of(text), "a.py")
        assert found == find_without_search(tree, text, "a.py"), file


def test_search_misses_nothing_in_the_standard_library() -> None:
    files = library_files()
    suspect = [file for file in files if b"pyc" in file.read_bytes()]
    compare_on([*files[::60], *suspect[::10]])


@pytest.mark.slow
def test_search_misses_nothing_in_any_file_of_the_standard_library() -> None:
    compare_on(library_files())


@pytest.mark.unmeasured
def test_most_of_the_standard_library_is_passed_over() -> None:
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in library_files()[::10]]
    assert sum(bool(checks_for(text, CHECKS)) for text in texts) < len(texts) / 8
