"""Say: findings in, text out. One voice a file; a voice knows findings, never commands or rules' makers."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.findings import Finding

#: Each has a module of its name with a `render(findings, command) -> str`.
FORMATS = ("text", "json", "github", "gitlab", "sarif")


def render(
    findings: list[Finding], command: str, voice: str, more: Mapping[str, object] | None = None
) -> str:
    """Return the report of `command` in one of `FORMATS`; JSON has the keys of `more` as well."""
    module = import_module(f"{__name__}.{voice}")
    keys = (more,) if more and voice == "json" else ()
    text: str = module.render(findings, command, *keys)
    return text
