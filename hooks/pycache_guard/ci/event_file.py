"""Read the event file of GitHub Actions, which Gitea and Forgejo write too.

It is apart from `systems`, which reads nothing itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pycache_guard.errors import Failure
from pycache_guard.fs.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The most that GitHub sends (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
MAX_EVENT_BYTES = 25 << 20


def read_event(path: str) -> Mapping[str, object]:
    """Return the object in the file. Raises `Failure` if there is none, or if it is too large."""
    try:
        with open_regular(path) as file:
            data = file.read(MAX_EVENT_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"the event file {path!r} cannot be read: {reason}") from None
    if len(data) > MAX_EVENT_BYTES:
        raise Failure(f"the event file {path!r} is larger than {MAX_EVENT_BYTES >> 20} MiB")
    try:
        event = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Failure(f"the event file {path!r} is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise Failure(f"the event file {path!r} is not a JSON object")
    return event
