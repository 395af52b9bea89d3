"""The one class of expected failures."""

from __future__ import annotations


class Failure(Exception):
    """The job could not be done, and the user can do something about it.

    `cli.main` turns it into one `error: …` line on stderr and exit code 2. A bug is anything else,
    and keeps its traceback.
    """
