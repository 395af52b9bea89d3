from __future__ import annotations

import os

import pytest

from pycache_guard.config import PROBES
from pycache_guard.config import Allowance
from pycache_guard.config import Config
from pycache_guard.config import parse
from pycache_guard.errors import Failure

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
    (HEAD + 'probes = ["legacy", "cache", "legacy"]\n', Config(probes=PROBES)),
    (
        HEAD + 'allow = [{ path = "tests/*.pyc", reason = "fixtures" }]\n',
        Config((Allowance("tests/*.pyc", None, "p.toml", 2),)),
    ),
    (
        (
            f'{HEAD}[[tool.pycache-guard.allow]]\nreason = "r"\npath = "a"\nblob = "{SHA1}"\n'
            f"[[tool.pycache-guard.allow]]\nreason = 'r'\npath = 'b'\nblob = '{SHA256}'\n"
        ),
        Config(
            (
                Allowance("a", SHA1.lower(), "p.toml", 4),
                Allowance("b", SHA256.lower(), "p.toml", 8),
            )
        ),
    ),
    (
        HEAD.replace("\n", "\r\n") + 'allow = [{ path = "ü/**", reason = "r" }]\r\n',
        Config((Allowance("ü/**", None, "p.toml", 2),)),
    ),
    (
        HEAD + 'allow = [{ path = "\\u00fc", reason = "r" }]\n',
        Config((Allowance("ü", None, "p.toml", None),)),
    ),
]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_good(text: str, expected: Config) -> None:
    assert parse(text.encode(), "p.toml") == expected


TOOL = "p.toml: tool.pycache-guard"
BAD = [
    ("[tool.pycache-guard\n", "p.toml: not TOML: "),
    ("\ufeff" + HEAD, "p.toml: not TOML: "),
    ("n = " + "1" * 5000, "p.toml: not TOML: "),
    ("a = " + "[" * 100_000, "p.toml: not TOML: nested too deeply"),
    ("[tool]\npycache-guard = 1\n", f"{TOOL}: must be a table"),
    ("[[tool.pycache-guard]]\n", f"{TOOL}: must be a table"),
    (HEAD + "alow = []\n", f"{TOOL}.alow: unknown key; there are allow, probes"),
    (HEAD + "z = 1\na = 1\n", f"{TOOL}.a: unknown key; there are allow, probes"),
    (HEAD + "allow = {}\n", f"{TOOL}.allow: must be an array"),
    (HEAD + 'allow = "a"\n', f"{TOOL}.allow: must be an array"),
    (HEAD + 'allow = ["a"]\n', f"{TOOL}.allow[0]: must be a table with `path` and `reason`"),
    (HEAD + 'probes = "cache"\n', f"{TOOL}.probes: must be an array"),
    *(
        (
            f"{HEAD}probes = {value}\n",
            f"{TOOL}.probes: must name at least one of cache, legacy, and nothing else",
        )
        for value in ("[]", '["cahce"]', '["cache", 1]', '[["cache"]]', "[{}]")
    ),
]
ITEM = f"{TOOL}.allow[1]"
TEXT = "must be a string that is not empty"
ID = "must be an object id in full, as `git hash-object` prints it"
BAD_ITEMS = [
    ('reason = "r"', f"{ITEM}.path: {TEXT}"),
    ('path = "", reason = "r"', f"{ITEM}.path: {TEXT}"),
    ('path = " ", reason = "r"', f"{ITEM}.path: {TEXT}"),
    ('path = "a\\u0000b", reason = "r"', f"{ITEM}.path: {TEXT}"),
    ('path = ["a"], reason = "r"', f"{ITEM}.path: {TEXT}"),
    ('path = "a"', f"{ITEM}.reason: {TEXT}"),
    ('path = "a", reason = ""', f"{ITEM}.reason: {TEXT}"),
    ('path = "a", reason = "\\t"', f"{ITEM}.reason: {TEXT}"),
    ('path = "a", reason = true', f"{ITEM}.reason: {TEXT}"),
    ('path = "a", reason = "r", blob = 1', f"{ITEM}.blob: {ID}"),
    ('path = "a", reason = "r", blob = ""', f"{ITEM}.blob: {ID}"),
    ('path = "a", reason = "r", blob = "abc"', f"{ITEM}.blob: {ID}"),
    (f'path = "a", reason = "r", blob = "{SHA1[:-1]}g"', f"{ITEM}.blob: {ID}"),
    (
        'path = "a", reason = "r", because = 1',
        f"{ITEM}.because: unknown key; there are blob, path, reason",
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
def test_bad(text: str, message: str) -> None:
    with pytest.raises(Failure) as failure:
        parse(text.encode(), "p.toml")
    told = str(failure.value)
    assert told.startswith(message) if message.endswith(": ") else told == message


def test_not_utf8() -> None:
    with pytest.raises(Failure, match=r"^p\.toml: not TOML: 'utf-8' codec"):
        parse(b"a = '\xff'", "p.toml")


def test_a_glob_is_what_git_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the file system's encoding is, as under `LC_ALL=C` without UTF-8 mode."""
    monkeypatch.setattr(os, "fsdecode", lambda data: data.decode("ascii", "surrogateescape"))
    config = parse(f'{HEAD}allow = [{{ path = "ü", reason = "r" }}]\n'.encode(), "p.toml")
    assert config.allow[0].glob == "\udcc3\udcbc"
