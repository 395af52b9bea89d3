from __future__ import annotations

import base64
import json
import os

from pycache_guard.findings import Rule
from pycache_guard.report import Summary, render
from report.samples import ALL, ODD

#: Version 1 has these; each is always there.
KEYS = {
    *("code", "rule", "url", "path", "path_base64", "line", "column", "end_line", "end_column"),
    *("commit", "blob", "size", "count", "message", "remedy", "fixed"),
}


def test_json_without_findings_has_all_keys() -> None:
    empty = {"version": 1, "command": "forbid-bytecode", "findings": []}
    text = render([], "forbid-bytecode", "json")
    assert json.loads(text) == {**empty, "checked": None, "notes": []}
    summary = Summary(3, "3 files checked", ("One note.",))
    text = render([], "forbid-bytecode", "json", summary=summary)
    assert json.loads(text) == {**empty, "checked": 3, "notes": ["One note."]}


def test_json_finding_has_every_key() -> None:
    text = render(ALL, "forbid-bytecode", "json")
    assert text.isascii()
    assert text.endswith("}\n")
    assert all(found.keys() == KEYS for found in json.loads(text)["findings"])


def test_json_finding_has_these_values() -> None:
    plain, placed, odd, nowhere = json.loads(render(ALL, "x", "json"))["findings"]
    assert plain == dict.fromkeys(KEYS) | {
        "code": "PYC001",
        "rule": "bytecode-path",
        "url": Rule.PYC001.docs_url,
        "path": "a.pyc",
        "message": "bytecode is tracked",
        "fixed": False,
        "remedy": "git rm a.pyc",
        "blob": "0" * 40,
    }
    assert (placed["line"], placed["column"], placed["end_line"], placed["end_column"]) == (
        3,
        5,
        3,
        9,
    )
    assert odd["path"] == "\\xff,:%\n\r/x y.pyc"
    assert base64.b64decode(odd["path_base64"]) == os.fsencode(ODD.path or "")
    assert (nowhere["path"], nowhere["commit"], nowhere["size"]) == (None, "1" * 40, 7)
