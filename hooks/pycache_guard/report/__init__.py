"""Say: findings in, text out. One voice a file; a voice knows findings, never commands or rules' makers."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.findings import Finding

#: Each has a module of its name with a `render(findings, command) -> str`.
FORMATS = ("text", "json", "github", "gitlab", "sarif")


def render(findings: list[Finding], command: str, voice: str) -> str:
    """Return the report of `command` in one of `FORMATS`."""
    module = import_module(f"{__name__}.{voice}")
    text: str = module.render(findings, command)
    return text
