"""Read what a `devcontainer.json` builds (specification of development containers, containers.dev).

It is imported only if the index has such a file: `check-dockerignore` is a hook.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from pycache_guard.dockerignore.values import (
    WORKSPACE,
    Unreadable,
    decode_file,
    require_short,
    shorten,
)

#: A string, or a comment; then a string, or a comma in front of a closing bracket. A string or a
#: comment that is not closed is kept: it ends the search, and is no JSON.
_COMMENT = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"?|/\*(?!.*?\*/).*)|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"?)|,(?=\s*[}\]])', re.DOTALL)
#: The directory that is opened: the top of the repository.
_WORKSPACE = re.compile(r"\$\{(?:localWorkspaceFolder|containerWorkspaceFolder)\}")


class DevContainer(NamedTuple):
    """A build, or compose files. Paths are from the file's directory, or below `WORKSPACE`."""

    dockerfile: str | None
    context: str
    compose_files: tuple[str, ...]


def read_devcontainer(content: bytes) -> DevContainer:
    """Return what a file builds. Raises `Unreadable`."""
    text = decode_file(content)
    try:
        for superfluous in (_COMMENT, _COMMA):
            text = superfluous.sub(keep_string, text)
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(error.lineno, f"it is not JSON with comments: {error.msg}") from None
    except (ValueError, RecursionError):  # also a number of 5000 digits
        raise Unreadable(1, "it is not JSON with comments") from None
    if not isinstance(found, dict):
        raise Unreadable(1, "it is not an object")
    build = found.get("build")
    build = build if isinstance(build, dict) else {}
    # Before `build` there were `dockerFile` and `context` at the top.
    dockerfile = build.get("dockerfile", found.get("dockerFile"))
    context = build.get("context", found.get("context", "."))
    compose = found.get("dockerComposeFile", [])
    files = compose if isinstance(compose, list) else [compose]
    for value in (dockerfile or "", context or "", *files):
        if not isinstance(value, str):
            raise Unreadable(1, "a path in it is not a string")
    return DevContainer(
        resolve_workspace(dockerfile) if dockerfile is not None else None,
        resolve_workspace(context or "."),
        tuple(map(resolve_workspace, files)),
    )


def keep_string(match: re.Match[str]) -> str:
    """Return a string as it is, and of anything else the line ends."""
    return match[1] or "\n" * match[0].count("\n") or " "


def resolve_workspace(path: str) -> str:
    """Return a path with the workspace folder replaced. Raises `Unreadable` for another variable."""
    found = _WORKSPACE.sub(WORKSPACE, require_short(path, 1))
    if "${" in found:
        raise Unreadable(1, f"`{shorten(path)}` depends on the environment")
    return found
