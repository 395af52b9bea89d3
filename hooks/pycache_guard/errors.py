"""The one class for expected failures."""

from __future__ import annotations


class Failure(Exception):
    """The job could not be done, and the user can change that.

    `cli.main` writes it as one `error: …` line to stderr and ends with 2. Any other exception is a
    bug and keeps its traceback.
    """
