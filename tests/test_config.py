from __future__ import annotations

import codecs
import os
import sys

import pytest

from pycache_guard import config
from pycache_guard.config import PROBES, AllowEntry, Config, parse, parse_toml
from pycache_guard.errors import Failure
from pycache_guard.fs.regular import MAX_TEXT_BYTES
from pycache_guard.toml_tokens import rewrite_as_1_0

SHA1 = "0123456789abcdef0123456789ABCDEF01234567"
SHA256 = SHA1 + "89abcdef0123456789abcdef"
HEAD = "[tool.pycache-guard]\n"

GOOD = [
    ("", Config()),
    ("[tool]\n", Config()),
    ("tool = 1\n", Config()),
    ("[tool.other]\nallow = 1\n", Config()),
    (HEAD, Config()),
    (HEAD + "allow = []\n", Config()),
    (HEAD + 'probes = ["legacy"]\n', Config(probes=("legacy",))),
    (HEAD + 'probes = ["legacy", "cache", "legacy"]\n', Config(probes=("cache", "legacy"))),
    (
        HEAD + 'allow = [{ path = "tests/*.pyc", reason = "fixtures" }]\n',
        Config((AllowEntry("tests/*.pyc", None, "p.toml", 2),)),
    ),
    (
        (
            f'{HEAD}[[tool.pycache-guard.allow]]\nreason = "r"\npath = "a"\nblob = "{SHA1}"\n'
            f"[[tool.pycache-guard.allow]]\nreason = 'r'\npath = 'b'\nblob = '{SHA256}'\n"
        ),
        Config(
            (
                AllowEntry("a", SHA1.lower(), "p.toml", 4),
                AllowEntry("b", SHA256.lower(), "p.toml", 8),
            )
        ),
    ),
    (
        HEAD.replace("\n", "\r\n") + 'allow = [{ path = "ü/**", reason = "r" }]\r\n',
        Config((AllowEntry("ü/**", None, "p.toml", 2),)),
    ),
    (
        HEAD + 'allow = [{ path = "\\u00fc", reason = "r" }]\n',
        Config((AllowEntry("ü", None, "p.toml", 2),)),
    ),
]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_parse_reads_a_valid_table(text: str, expected: Config) -> None:
    assert parse(text.encode(), "p.toml") == expected


TOOL = "p.toml: tool.pycache-guard"
KEYS = "there are allow, ignore, probes"
BAD = [
    ("[tool.pycache-guard\n", "p.toml: not TOML: "),
    pytest.param(
        "n = " + "1" * 5000,
        "p.toml: not TOML: ",
        marks=pytest.mark.skipif(
            sys.implementation.name == "pypy", reason="PyPy reads numbers of any length"
        ),
    ),
    ("a = " + "[" * 100_000, "p.toml: not TOML: nested too deeply"),
    ("a." * 60 + "a = 1\n", "p.toml: not TOML: a key has too many parts"),
    ("[" + "a . " * 60 + "a]\n", "p.toml: not TOML: a key has too many parts"),
    ("#" * (MAX_TEXT_BYTES + 1), "p.toml: the file is larger than 1 MiB"),
    ("#" + "." * 60 + "\na = 'x" + "." * 60 + "'\nb = [1.5]\n[", "p.toml: not TOML: "),
    ("[tool]\npycache-guard = 1\n", f"{TOOL}: must be a table, not 1"),
    ("[[tool.pycache-guard]]\n", f"{TOOL}: must be a table, not [{{}}]"),
    (HEAD + "alow = []\n", f"{TOOL}.alow: unknown key: did you mean `allow`?; {KEYS}"),
    (HEAD + "ALLOW = []\n", f"{TOOL}.ALLOW: unknown key: did you mean `allow`?; {KEYS}"),
    (HEAD + "z = 1\na = 1\n", f"{TOOL}.a: unknown key; {KEYS}"),
    (HEAD + '"al\\u006fw" = []\n', f"{TOOL}.alow: unknown key: did you mean `allow`?; {KEYS}"),
    (HEAD + "allow = {}\n", f"{TOOL}.allow: must be an array, not {{}}"),
    (HEAD + 'allow = "a"\n', f'{TOOL}.allow: must be an array, not "a"'),
    (
        HEAD + 'allow = ["a"]\n',
        f'{TOOL}.allow[0]: must be a table with `path` and `reason`, not "a"',
    ),
    (HEAD + 'probes = "cache"\n', f'{TOOL}.probes: must be an array, not "cache"'),
    (HEAD + "probes = []\n", f"{TOOL}.probes: must name at least one of {', '.join(PROBES)}"),
    *(
        (
            f"{HEAD}probes = [{first}{value}]\n",
            f"{TOOL}.probes: {value} is not a probe{hint}; there are {', '.join(PROBES)}",
        )
        for first, value, hint in (
            ("", '"cash"', ": did you mean `cache`?"),
            ("", '"cahce"', ": did you mean `cache`?"),
            ('"cache", ', '"LEGACY"', ": did you mean `legacy`?"),
            ('"cache", ', '"xyz"', ""),
            ('"cache", ', "1", ""),
            ("", '["cache"]', ""),
            ("", "{}", ""),
            ("", "true", ""),
        )
    ),
    (
        HEAD + 'ignore = ["PYC204", "pyc204"]\n',
        f'{TOOL}.ignore: "pyc204" is not a rule: did you mean `PYC204`?',
    ),
    (HEAD + "ignore = [204]\n", f"{TOOL}.ignore: 204 is not a rule"),
    (HEAD + 'ignore = "PYC204"\n', f'{TOOL}.ignore: must be an array, not "PYC204"'),
    *(
        (
            f'{HEAD}ignore = ["{code}"]\n',
            (
                f'{TOOL}.ignore: "{code}" cannot be ignored;'
                " PYC201, PYC203 to PYC207, PYC3xx, PYC4xx and PYC6xx can"
            ),
        )
        for code in ("PYC001", "PYC002", "PYC003", "PYC101", "PYC202", "PYC501")
    ),
]
#: The table under other names.
MISSPELT = [
    ("[tool.pycache_guard]\n", "tool.pycache_guard"),
    ("[tool.pycacheguard]\n", "tool.pycacheguard"),
    ("[tool.Pycache-Guard]\nallow = 1\n", "tool.Pycache-Guard"),
    ("[tool]\npycache_guard.allow = []\n", "tool.pycache_guard"),
    ("tool = { pycache_guard = {} }\n", "tool.pycache_guard"),
    ('[tool."pycache\\u005fguard"]\n', "tool.pycache_guard"),
    ("[pycache-guard]\n", "pycache-guard"),
    ("[tool.pycache-guard]\n[tool.pycache_guard]\n", "tool.pycache_guard"),
]
BAD += [
    (text, f"p.toml: {name}: unknown table: did you mean `tool.pycache-guard`?")
    for text, name in MISSPELT
]
#: What only TOML 1.1 allows, in somebody else's table, and the line where it stands.
NEWER = [
    ('p = {\n  name = "a" }\n', 2, "a line break in an inline table"),
    ('p = { name = "a", }\n', 2, "a comma at the end of an inline table"),
    ('p = { name = "a" # why\n }\n', 2, "a comment in an inline table"),
    ('p = "\\e[0m"\n', 2, "an escape sequence `\\e` or `\\xHH`"),
    ('p = "\\x41"\n', 2, "an escape sequence `\\e` or `\\xHH`"),
    ('p = """\n\\x41"""\n', 2, "an escape sequence `\\e` or `\\xHH`"),
    ("p = 07:32\n", 2, "a time without seconds"),
    ("p = 1979-05-27T07:32Z\n", 2, "a time without seconds"),
    ("p = 1979-05-27 07:32-07:00\n", 2, "a time without seconds"),
    ("q = [1,\n2]\np = [{ a = 1 }, {\nb = 2 }]\n", 4, "a line break in an inline table"),
]
BAD += [
    (
        f"[tool.other]\n{text}{HEAD}",
        (
            f"p.toml:{line}: {syntax} is TOML 1.1, which most tools cannot read yet;"
            " write it as TOML 1.0"
        ),
    )
    for text, line, syntax in NEWER
]
ITEM = f"{TOOL}.allow[1]"
TEXT = "must be a string that is not empty, not "
ID = "must be an object id in full, as `git hash-object` prints it, not "
BAD_ITEMS = [
    ('reason = "r"', f"{ITEM}.path: is missing"),
    ('path = "", reason = "r"', f'{ITEM}.path: {TEXT}""'),
    ('path = " ", reason = "r"', f'{ITEM}.path: {TEXT}" "'),
    ('path = "a\\u0000b", reason = "r"', f'{ITEM}.path: {TEXT}"a\\u0000b"'),
    ('path = ["a"], reason = "r"', f'{ITEM}.path: {TEXT}["a"]'),
    ('path = "a"', f"{ITEM}.reason: is missing"),
    ('path = "a", reason = ""', f'{ITEM}.reason: {TEXT}""'),
    ('path = "a", reason = "\\t"', f'{ITEM}.reason: {TEXT}"\\t"'),
    ('path = "a", reason = true', f"{ITEM}.reason: {TEXT}true"),
    ('path = "a", reason = 2024-02-29', f'{ITEM}.reason: {TEXT}"2024-02-29"'),
    ('path = "a", reason = "r", blob = 1', f"{ITEM}.blob: {ID}1"),
    ('path = "a", reason = "r", blob = ""', f'{ITEM}.blob: {ID}""'),
    ('path = "a", reason = "r", blob = "abc"', f'{ITEM}.blob: {ID}"abc"'),
    (f'path = "a", reason = "r", blob = "{SHA1[:-1]}g"', f'{ITEM}.blob: {ID}"{SHA1[:-1]}g"'),
    (f'path = "a", reason = "r", blob = "{"x" * 99}"', f'{ITEM}.blob: {ID}"{"x" * 59}…'),
    (
        'path = "a", reason = "r", because = 1',
        f"{ITEM}.because: unknown key; there are blob, path, reason",
    ),
    (
        'path = "a", raeson = "r"',
        f"{ITEM}.raeson: unknown key: did you mean `reason`?; there are blob, path, reason",
    ),
]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *BAD,
        *(
            (f'{HEAD}allow = [{{ path = "ok", reason = "r" }}, {{ {item} }}]\n', message)
            for item, message in BAD_ITEMS
        ),
    ],
    ids=lambda text: text[:60],
)
def test_parse_refuses_an_invalid_table_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(Failure) as failure:
        parse(text.encode(), "p.toml")
    found = str(failure.value)
    assert found.startswith(message) if message.endswith(": ") else found == message


#: Forms of one configuration.
FORMS = [
    "\ufeff" + HEAD + "allow = [{ITEM}]\n",
    "[tool]\npycache-guard.allow = [{ITEM}]\n",
    "[tool]\npycache-guard = { allow = [{ITEM}] }\n",
    "tool.pycache-guard.allow = [{ITEM}]\n",
    "tool = { pycache-guard = { allow = [{ITEM}] } }\n",
    '[tool."pycache\\u002dguard"]\n"all\\u006fw" = [{ITEM}]\n',
    "['tool'.'pycache-guard']\n'allow' = [{ITEM}]\n",
]


@pytest.mark.parametrize("form", FORMS)
def test_parse_every_form_of_a_table_is_read(form: str) -> None:
    text = form.replace("{ITEM}", '{ path = "a", reason = "r" }')
    (allowed,) = parse(text.encode(), "p.toml").allow
    assert (allowed.glob, allowed.line) == ("a", text.count("\n", 0, text.index('"a"')) + 1)


def test_parse_lines_are_those_of_the_table() -> None:
    """Neither a comment nor another table is taken for the allowance; equal paths have two lines."""
    text = (
        '# "a.pyc" may be there\n[tool.other]\npath = "a.pyc"\n'
        f'{HEAD}allow = [\n  {{ reason = "a.pyc", path = "a.pyc" }},\n'
        "  { path = 'a.pyc', reason = 'again' },\n  { path = '''b''', reason = 'r' },\n]\n"
    )
    assert [allowed.line for allowed in parse(text.encode(), "p").allow] == [6, 7, 8]


def test_parse_a_path_that_a_comment_hides_has_no_line_or_another() -> None:
    """The text around is not parsed for this; what counts is that nothing fails."""
    text = f'# pycache-guard: path = "\\q" path = "b"\n{HEAD}allow = [{{ path = "a", reason = "r" }}]\n'
    assert [allowed.line for allowed in parse(text.encode(), "p").allow] == [3]


def test_parse_ignore_keeps_the_codes_in_order() -> None:
    codes = (
        "PYC204",
        "PYC201",
        "PYC203",
        "PYC205",
        "PYC206",
        "PYC207",
        "PYC301",
        "PYC401",
        "PYC601",
    )
    text = f"{HEAD}ignore = {[*codes, 'PYC204']}\n"
    assert parse(text.encode(), "p").ignore == codes


#: TOML 1.0 that looks like something newer.
OLDER = [
    'a = "\\\\e\\\\x41"',
    "a = '\\e\\x41'",
    "a = '''\n\\e'''",
    "a = [1, # one\n 2,\n]",
    "a = { b = [\n1,\n] }",
    "a = 07:32:00",
    "a = 1979-05-27T07:32:00+05:30",
    "a = '{'",
    'a = "07:32, }"',
    'a = """{,}\n"""',
    "# {\n",
]


@pytest.mark.parametrize("text", OLDER)
def test_toml_of_1_0_is_read(text: str) -> None:
    assert rewrite_as_1_0(text) == (text, [])
    assert isinstance(parse_toml(text.encode(), "p.toml"), dict)


def test_toml_broken_elsewhere_is_not_called_newer() -> None:
    with pytest.raises(Failure, match=r"^p\.toml: not TOML: "):
        parse_toml(b"a = {\n}\nb = ]\n", "p.toml")


@pytest.mark.parametrize("text", [text for text, _, _ in NEWER])
def test_toml_of_1_1_is_refused_whatever_the_parser_reads(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under Python 3.15, whose parser reads it."""
    read = config.try_parse
    monkeypatch.setattr(config, "try_parse", lambda text: read(rewrite_as_1_0(text)[0]))
    with pytest.raises(Failure, match=r"is TOML 1\.1"):
        parse_toml(text.encode(), "p.toml")


@pytest.mark.parametrize("text", [text for text, _, _ in NEWER])
def test_rewritten_toml_is_what_another_parser_reads(text: str) -> None:
    older, _ = rewrite_as_1_0(text)
    assert isinstance(parse_toml(older.encode(), "p.toml"), dict)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_parse_names_utf16(mark: bytes) -> None:
    with pytest.raises(Failure, match=r"^p\.toml: not TOML: is UTF-16 by its byte order mark"):
        parse(mark + b"a\0", "p.toml")


def test_parse_refuses_other_encodings() -> None:
    with pytest.raises(Failure, match=r"^p\.toml: not TOML: 'utf-8' codec"):
        parse(b"a = '\xff'", "p.toml")


def test_parse_keeps_globs_as_bytes_of_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the file system's encoding is, as under `LC_ALL=C` without UTF-8 mode."""
    monkeypatch.setattr(os, "fsdecode", lambda data: data.decode("ascii", "surrogateescape"))
    read = parse(f'{HEAD}allow = [{{ path = "ü", reason = "r" }}]\n'.encode(), "p.toml")
    assert read.allow[0].glob == "\udcc3\udcbc"
