"""`pycache-guard COMMAND`: a table of names; a command's module is imported when it is chosen."""

from __future__ import annotations

# `signal` imports enum, which costs 3 ms; what it is made of has no types.
import _signal  # type: ignore[import-not-found]
import os
import sys

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

SIGINT = 2
#: Set to anything, this variable adds a traceback to failures that the system reports.
DEBUG = "PYCACHE_GUARD_DEBUG"

#: Each is a module in `commands/` with a `main(argv) -> int`; `-` becomes `_`.
COMMANDS = {
    "forbid-bytecode": "refuse tracked bytecode: the index, or a commit's tree",
    "check-gitignore": "prove that .gitignore keeps bytecode out, and complete it",
    "check-history": "refuse bytecode in every commit of a range",
    "pre-push": "refuse to push it: git's hook of that name",
    "pre-receive": "refuse to receive it: git's hook of that name, on a server",
    "verify-bytecode": "does each bytecode file come from its source?",
    "inspect": "tell what a bytecode file is",
    "fix": "untrack bytecode and complete .gitignore in one step",
    "lint": "find Python source that is careless with bytecode",
    "clean": "remove caches from the disk",
    "check-dockerignore": "prove that .dockerignore keeps bytecode out",
    "check-dist": "find bytecode in wheels, sdists and other archives",
    "doctor": "diagnose bytecode caching on this machine, and here",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 nothing to say, 1 findings, 2 not done.

    The one place where a failure becomes a line on stderr. Ended by a signal, it is 128 and the
    signal's number, as shells have it. No process of ours goes on. Anything unexpected is raised.
    """
    from pycache_guard.errors import Failure
    from pycache_guard.git.spawn import stop_all

    try:
        try:
            return dispatch(list(sys.argv[1:] if argv is None else argv))
        finally:
            stop_all()
    except KeyboardInterrupt as end:
        stop_all()  # it may be that which was interrupted
        return exit_code_for(end)
    # Only now: where descriptors ran out, those of the processes have been closed, and what is to be
    # imported for this can be opened.
    except Failure as failure:
        return fail(str(failure))
    except UnicodeDecodeError as error:
        # Of git's paths, which are bytes, Windows makes UTF-16. Elsewhere this is a bug.
        if not compat.WINDOWS:
            raise
        path = error.object.decode("utf-8", "backslashreplace")
        return fail(f"{path}: is not UTF-8; on Windows that is no path")
    except OSError as error:
        if os.environ.get(DEBUG):
            raise
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        return fail(f"{where}{error.strerror or error}")


def exit_code_for(end: KeyboardInterrupt) -> int:
    """Return the exit code of who was ended by a signal."""
    return 128 + (end.args[0] if end.args else SIGINT)


def run() -> NoReturn:
    """Run as a program, and end at once: taking the interpreter down in order costs 2 ms more.

    Nothing waits for that: what was written is flushed here, and every file and child process is
    closed where it is used.
    """
    handle_signals(on_signal)
    try:
        drop_untrusted_sys_path()
        code = main()
    except KeyboardInterrupt as end:  # before, or behind, what `main` heeds
        code = exit_code_for(end)
    except SystemExit as end:  # argparse, after --help
        code = 0 if end.code is None else end.code if isinstance(end.code, int) else 2
    except BaseException:  # noqa: BLE001 - the job was not done, whatever it was
        code = crashed()
    handle_signals(_signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:  # noqa: SIM105 - contextlib costs 1 ms
                stream.flush()
            except (OSError, ValueError):  # its reader has gone away, or it was closed
                pass
    os._exit(code)


def crashed() -> int:
    """Write the traceback of the exception that is being handled to stderr; return 2.

    Written in C, `sys.excepthook` needs neither a module nor, to speak of, memory.
    """
    try:  # noqa: SIM105 - contextlib costs 1 ms
        sys.__excepthook__(*sys.exc_info())
    except BaseException:  # noqa: BLE001, S110 - the exit code tells
        pass
    return 2


def handle_signals(handler: object) -> None:
    """Set what the signals do that ask us to end; one that is ignored (nohup(1)) stays so."""
    for number in compat.TERMINATION_SIGNALS:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, handler)


def on_signal(number: int, _: object) -> NoReturn:
    """End in order: temporary files go, children are stopped. Nothing interrupts that."""
    handle_signals(_signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def drop_untrusted_sys_path() -> None:
    """Take off the module search path what the current directory or `PYTHONPATH` put there.

    A checkout may have a `json.py` or a `select.py` of its own, and must not get it run. Where the
    program itself was found stays.
    """
    try:
        own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        os.getcwd()
    except FileNotFoundError:  # the current directory is gone, and with it what it held
        return
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    foreign = {os.path.abspath(path) for path in ("", *named)} - {own}
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) not in foreign]


def dispatch(argv: list[str]) -> int:
    """Run the command that `argv` begins with."""
    if not argv:
        return fail("which command? (see `pycache-guard --help`)")
    name = argv[0]
    if name in COMMANDS:
        # Not importlib.import_module, which costs 0.5 ms more: it imports warnings.
        module = __import__(f"pycache_guard.commands.{name.replace('-', '_')}", fromlist=["main"])
        code: int = module.main(argv[1:])
        return code
    if name in ("--help", "-h"):
        from pycache_guard.commands._print import print_safely

        print_safely(usage())
        return 0
    if name == "--version":
        from pycache_guard import __version__
        from pycache_guard.commands._print import print_safely

        print_safely(f"pycache-guard {__version__}\n")
        return 0
    return fail(f"{name!r} is not a command{suggestion(name)} (see `pycache-guard --help`)")


def suggestion(name: str) -> str:
    """Return what may have been meant, as a question."""
    from difflib import get_close_matches

    names = [f"`{match}`" for match in get_close_matches(name, COMMANDS)]
    return f": did you mean {' or '.join(names)}?" if names else ""


def usage() -> str:
    """Return the page that lists the commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "usage: pycache-guard COMMAND [OPTION...]",
            "",
            "Keep Python bytecode out of places where it does not belong.",
            "",
            *lines,
            "",
            "example: pycache-guard fix --dry-run",
            "exit codes: 0 nothing to say, 1 findings, or something was fixed, 2 not done",
            "more: `pycache-guard COMMAND --help`",
            "",
        ]
    )


def fail(message: str) -> int:
    """Say why on stderr, in one line; return 2."""
    from pycache_guard.commands._output import print_error

    print_error(message)
    return 2
