"""Reports of any path and message, in every format, read back as their consumers do."""

from __future__ import annotations

import base64
import json
import os
import xml.etree.ElementTree as ET
from functools import partial
from urllib.parse import unquote_to_bytes

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.findings import Finding, Rule
from pycache_guard.report import FORMATS, render
from pycache_guard.report.escape import escape_surrogates, escape_text, escape_unprintable

TOKENS = (
    *(b"\0", b"\n", b"\r", b"\x1b[31m", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xae"),
    *(
        b"%0A",
        b"%",
        b"::",
        b",",
        b":",
        b'"',
        b"\\",
        b"<",
        b"&",
        b"'",
        b"/",
        b"\xed\xa0\x80",
        b"\x7f",
    ),
)


def report(data: bytes) -> str:
    """Report path, message and remedy (separated by NUL) in every format."""
    path, message, remedy, *_ = [os.fsdecode(part) for part in data.split(b"\0")] + [""] * 3
    line = len(data) % 7 or None
    finding = Finding(path or None, Rule.PYC001, message, remedy or None, line=line)
    texts = {name: render([finding], "forbid-bytecode", name) for name in FORMATS}
    for name, text in texts.items():
        text.encode("utf-8")
        assert text.endswith("\n"), name
    assert all(row.isprintable() for row in texts["text"].split("\n"))
    assert texts["text"].startswith(
        escape_unprintable(f"{path}:") if path else ("PYC001", f"{line}: PYC001")
    )
    as_json(texts["json"], finding)
    as_sarif(texts["sarif"], finding)
    as_command(texts["github"], finding)
    (issue,) = json.loads(texts["gitlab"])
    assert issue["location"]["path"] == escape_surrogates(path or ".")
    (diagnostic,) = json.loads(texts["rdjson"])["diagnostics"]
    assert diagnostic["location"]["path"] == escape_surrogates(path or ".")
    ((case,),) = ET.fromstring(texts["junit"])
    assert case.get("file") == (escape_text(path) if path else None)
    return "no path" if not path else "plain" if path.isprintable() else "odd"


def as_json(text: str, finding: Finding) -> None:
    """Read version 1 of the report: the path comes back whole."""
    (found,) = json.loads(text)["findings"]
    if finding.path is None:
        assert (found["path"], found["path_base64"]) == (None, None)
    elif found["path_base64"] is None:
        assert found["path"] == finding.path
    else:
        assert os.fsdecode(base64.b64decode(found["path_base64"])) == finding.path
    assert found["message"] == escape_surrogates(finding.message)


def as_sarif(text: str, finding: Finding) -> None:
    """Read the log: the URI holds the path's bytes."""
    (result,) = json.loads(text)["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert os.fsdecode(unquote_to_bytes(uri)) == (finding.path or ".")
    assert uri.isascii()


def as_command(text: str, finding: Finding) -> None:
    """Read a workflow command as the runner does (actions/runner, ActionCommand.TryParseV2)."""
    assert text.count("\n") == 1
    assert "\r" not in text
    head, message = text[:-1].removeprefix("::error ").split("::", 1)
    pairs = dict(pair.split("=", 1) for pair in head.split(","))
    assert unescaped(pairs.get("file", "")) == seen(finding.path or "")
    remedy = f"\nTo fix: {finding.fix}" if finding.fix else ""
    about = f"\nAbout: {finding.rule.docs_url}"
    assert unescaped(message) == seen(finding.message + remedy + about)


def seen(text: str) -> str:
    """Return what a log shows, line ends kept."""
    return "".join(c if c in "\r\n" else escape_unprintable(c) for c in text)


def unescaped(text: str) -> str:
    """Take the escapes back."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(code, character)
    return text.replace("%25", "%")


TARGETS = {"reports": Target(report, partial(seeds, "reports"), TOKENS)}
