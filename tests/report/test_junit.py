"""JUnit XML against the elements and attributes that its readers have in common."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.posix_names import decode_posix_name
from pycache_guard.findings import Finding, Rule
from pycache_guard.report import render
from report.samples import ALL

COUNTS = {"tests", "failures", "errors", "time"}
#: Element: its required attributes, its optional ones, its children. Of jenkinsci/xunit-plugin's
#: junit-10.xsd the part that is used, and `file` of GitLab.
STRUCTURE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", *COUNTS}, set(), {"testsuite"}),
    "testsuite": ({"name", "skipped", *COUNTS}, set(), {"testcase"}),
    "testcase": ({"name", "classname", "time"}, {"file"}, {"failure"}),
    "failure": ({"type", "message"}, set(), set()),
}


def check_structure(element: ET.Element) -> None:
    """Raise `AssertionError` for an attribute or a child that the format does not have."""
    required, optional, children = STRUCTURE[element.tag]
    assert required <= {*element.keys()} <= required | optional
    for child in element:
        assert child.tag in children
        check_structure(child)


def parse(findings: list[Finding]) -> ET.Element:
    text = render(findings, "forbid-bytecode", "junit")
    assert text.isascii()
    assert text.endswith("</testsuites>\n")
    root = ET.fromstring(text)
    check_structure(root)
    return root


def test_junit_without_findings_has_a_passed_test() -> None:
    root = parse([])
    (suite,) = root
    assert root.attrib["name"] == "pycache-guard"
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "0")
    (case,) = suite
    assert case.attrib == {"classname": "forbid-bytecode", "name": "no findings", "time": "0"}
    assert [*case] == []


def test_junit_has_a_failed_test_for_each_finding() -> None:
    root = parse(ALL)
    (suite,) = root
    assert root.attrib["failures"] == suite.attrib["failures"] == suite.attrib["tests"] == "4"
    assert [
        (case.attrib["classname"], case.attrib["name"], case.get("file")) for case in suite
    ] == [
        ("forbid-bytecode.PYC001", "a.pyc", "a.pyc"),
        ("forbid-bytecode.PYC003", "p q.toml:3:5", "p q.toml"),
        (
            "forbid-bytecode.PYC001",
            "\\xff,:%\\x0a\\x0d/x y.pyc",
            "\\xff,:%\\x0a\\x0d/x y.pyc",
        ),
        ("forbid-bytecode.PYC003", "no file", None),
    ]
    failure = suite[0][0]
    assert failure.attrib == {"type": "PYC001", "message": "bytecode-path: bytecode is tracked"}
    assert failure.text == (
        f"bytecode is tracked\nTo fix: git rm a.pyc\nAbout: {Rule.PYC001.docs_url}"
    )


@given(st.binary(max_size=30) | st.text(max_size=20).map(lambda t: t.encode("utf-8", "replace")))
def test_junit_is_well_formed_for_any_path(data: bytes) -> None:
    path = decode_posix_name(data.replace(b"\0", b"")) or "x"
    finding = Finding(path, Rule.PYC001, f"]]> & {path}", f"git rm '{path}'")
    (case,) = parse([finding])[0]
    assert case.attrib["file"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ('<a b="c">&amp;', '<a b="c">&amp;'),
        ("\x01\x1b[31m\x7f", "\\x01\\x1b[31m\\x7f"),
        ("##vso[task.x]", "#\\x23vso[task.x]"),
        ("ü\U0001f40d", "ü\U0001f40d"),
        ("\ufffe\uffff", "\\xef\\xbf\\xbe\\xef\\xbf\\xbf"),
        ("\ud800", "\\xed\\xa0\\x80"),
    ],
)
def test_junit_shows_what_xml_cannot_hold(path: str, shown: str) -> None:
    (case,) = parse([Finding(path, Rule.PYC001, "m")])[0]
    assert case.attrib["file"] == shown


@pytest.mark.parametrize("line", ["::error::x", "  ::set-output name=a::b"])
def test_junit_gives_no_command_to_a_runner(line: str) -> None:
    text = render([Finding("a", Rule.PYC001, line, f"a\n{line}")], "x", "junit")
    assert not any(row.lstrip().startswith("::") for row in text.splitlines())
