"""A secret scanner finds in the output of `inspect --strings` what it does not find in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from helpers.make_pyc import compile_source, timestamp_pyc, write_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conftest import Run

#: Invented tokens, in parts, so that no scanner reports this file.
AWS = "AKIA" + "IOSFODNN7" + "REALKEY"
GITHUB = "ghp" + "_wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0p" + "INUx"
SLACK = "xoxb" + "-263594206564-2343594206574-FGqddMF8t08v8" + "N7Oq4i57vs1"
STRIPE = "sk_live" + "_ReTllpYQYfIZu2Jnf2lAPFjD"
PASSWORD = "https://user:" + "k3yboard" + "@db.example.com/"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END RSA PRIVATE KEY-----"

SOURCE = f'''"""Module docstring.

{STRIPE}
"""
AWS = ["{AWS}"]
def connect(token="{GITHUB}"):
    """Connect.
    {SLACK}
    """
    return "{PASSWORD}", b"\\0{AWS[::-1]}", "{KEY}", lambda: "text\\n{AWS}"
'''
KINDS = {
    "AWS Access Key",
    "Basic Auth Credentials",
    "GitHub Token",
    "Private Key",
    "Slack Token",
    "Stripe Access Key",
}


def scan(lines: Iterable[str]) -> set[str]:
    """Return the kinds of secrets that detect-secrets finds, without asking any service."""
    scanner: Any = pytest.importorskip("detect_secrets.core.scan")
    settings: Any = pytest.importorskip("detect_secrets.settings")
    with settings.default_settings():
        return {secret.type for line in lines for secret in scanner.scan_line(line)}


def test_scanner_finds_planted_tokens(tmp_path: Path, run: Run) -> None:
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(compile_source(SOURCE), 0))
    done = run("inspect", "--strings", str(path))
    assert done.code == 0
    assert scan(done.out.splitlines()) >= KINDS


def test_scanner_finds_a_token_that_only_follows_a_line_break(tmp_path: Path, run: Run) -> None:
    source = f"x = 'text\\n{GITHUB}'\n"
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(compile_source(source), 0))
    assert "GitHub Token" in scan(run("inspect", "--strings", str(path)).out.splitlines())


def test_scanner_finds_no_token_in_a_harmless_file(tmp_path: Path, run: Run) -> None:
    path = write_file(tmp_path / "m.pyc", timestamp_pyc(compile_source("x = 'harmless'\n"), 0))
    assert KINDS.isdisjoint(scan(run("inspect", "--strings", str(path)).out.splitlines()))
