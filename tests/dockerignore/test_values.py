from __future__ import annotations

import pytest

from pycache_guard.dockerignore.values import (
    UNKNOWN,
    Unreadable,
    Value,
    interpolate,
    interpolate_or_unknown,
    is_remote,
    read_environment,
)

ENVIRONMENT = {"A": "a", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("./x", "./x"),
        ("$A/${A}/$$A", "a/a/$A"),
        ("${A:-b}${A-b}${A?e}${A:?e}", "aaaa"),
        ("${N:-b}/${N-c}", "b/c"),
        ("${EMPTY}|${EMPTY-b}|${EMPTY:-c}|${EMPTY?e}", "||c|"),
        ("${A:+y}${A+z}${N:+y}${N+z}${EMPTY:+y}${EMPTY+z}", "yzz"),
        ("${N:-${M:-x}}/${N:-$A}", "x/a"),
        ("${N:-${M:-${L:-deep}}y}", "deepy"),
        ("${N-}", ""),
        ("${N:-a b$$c}", "a b$c"),
        ("https://example.com/$N", f"https://example.com/{UNKNOWN}"),
    ],
)
def test_interpolate_table(text: str, expected: str) -> None:
    assert interpolate(Value(text, 1), ENVIRONMENT) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("$N", "depends on the environment"),
        ("x/${N}/y", "depends on the environment"),
        ("${N:?e}", "depends on the environment"),
        ("${EMPTY:?e}", "depends on the environment"),
        ("${N:-$M}", "depends on the environment"),
        ("${A", "is not closed"),
        ("${N:-${M}", "is not closed"),
        ("a$", "write `\\$\\$`"),
        ("${}", "does not name a variable"),
        ("${A/b}", "an operator that Compose does not have"),
        ("${N:-" * 30 + "x" + "}" * 30, "nested too deeply"),
    ],
)
def test_interpolate_of_an_unknown_variable_is_an_error(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why) as raised:
        interpolate(Value(text, 7), ENVIRONMENT)
    assert raised.value.line == 7


def test_interpolate_or_unknown_keeps_a_placeholder() -> None:
    assert interpolate_or_unknown(Value("$N.x", 1), ENVIRONMENT) == f"{UNKNOWN}.x"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        *(
            (remote, True)
            for remote in (
                "https://example.com/a.git#main:d",
                "http://x",
                "git://x",
                "ssh://git@x/y",
                "git@example.com:a/b",
                "github.com/a/b",
                "docker-image://alpine",
                "oci-layout:///tmp/x",
                "service:web",
                "target:base",
                "input:x",
            )
        ),
        *((local, False) for local in (".", "./a", "../a.git", "github.community/x", "a:b", "~/x")),
    ],
)
def test_is_remote_table(context: str, expected: bool) -> None:
    assert is_remote(context) == expected


def test_read_environment_reads_plain_and_quoted_values() -> None:
    content = b"# c\nA=a\nexport B = 'b c' # d\nC=\"c\"\nD=d # e\nE=\nF=$A\nno\n1=x\nG='\nH=a#b\n"
    assert read_environment(content) == {
        "A": "a",
        "B": "b c",
        "C": "c",
        "D": "d",
        "E": "",
        "G": "'",
        "H": "a#b",
    }
