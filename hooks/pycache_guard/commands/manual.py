"""What `--help` says besides the options of a command; imported for that alone."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.findings import DOCUMENTATION


class Manual(NamedTuple):
    """What a command's `--help` has from here."""

    #: A command line that a reader can copy.
    example: str
    #: Its page in the documentation.
    page: str
    #: What the usage line has behind the options.
    operands: str = ""
    #: What the exit codes 0, 1 and 2 mean.
    codes: tuple[str, str, str] = ("nothing to say", "findings", "not done")

    def text(self) -> str:
        """Return the lines below the options."""
        codes = ", ".join(f"{code} {meaning}" for code, meaning in enumerate(self.codes))
        return f"example: {self.example}\nexit codes: {codes}\nmore: {DOCUMENTATION}/{self.page}\n"


FIXING = ("nothing to say", "findings, or something was fixed", "not done")

#: By command.
MANUALS = {
    "forbid-bytecode": Manual("pycache-guard forbid-bytecode --fix", "commands.md", codes=FIXING),
    "check-gitignore": Manual("pycache-guard check-gitignore --fix", "commands.md", codes=FIXING),
    "check-history": Manual(
        "pycache-guard check-history origin/main..HEAD", "history.md", "[RANGE...]"
    ),
    "pre-push": Manual(
        'exec pycache-guard pre-push "$@"   # in .git/hooks/pre-push',
        "history.md",
        "[REMOTE] [URL]",
    ),
    "pre-receive": Manual("exec pycache-guard pre-receive   # in hooks/pre-receive", "server.md"),
    "verify-bytecode": Manual("pycache-guard verify-bytecode --tracked", "verify.md", "[PATH...]"),
    "inspect": Manual(
        "pycache-guard inspect HEAD:pkg/__pycache__/a.cpython-313.pyc",
        "inspect.md",
        "FILE...",
        ("all are well-formed", "one is not", "one cannot be read"),
    ),
    "fix": Manual("pycache-guard fix --dry-run", "commands.md", codes=FIXING),
    "lint": Manual("pycache-guard lint src tests", "lint.md", "[PATH...]"),
    "clean": Manual(
        "pycache-guard clean --dry-run",
        "clean.md",
        "[PATH...]",
        ("success", "some files could not be removed", "error"),
    ),
    "check-dockerignore": Manual(
        "pycache-guard check-dockerignore --fix", "docker.md", "[CONTEXT...]", FIXING
    ),
    "check-dist": Manual("pycache-guard check-dist 'dist/*'", "dist.md", "ARCHIVE..."),
    "doctor": Manual(
        "pycache-guard doctor --time PACKAGE",
        "doctor.md",
        codes=("no problems", "problems found", "something could not be examined"),
    ),
}
