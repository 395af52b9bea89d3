"""`pycache-guard COMMAND`: command name → module, exit codes, signals.

Only the module of the chosen command is imported. `pycache-guard --help` imports all of them.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

# `signal` imports enum, which costs 3 ms. `_signal` is its C part and has no type stubs.
import _signal  # type: ignore[import-not-found]
import os
import sys

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from sys import UnraisableHookArgs
    from typing import NoReturn

SIGINT = 2
#: After this time a signal that Python has dropped is sent again.
RESEND_SECONDS = 0.01
#: What Python reports of a signal that came together with another one, for which `on_signal` ignores it.
SECOND_SIGNAL = "ignored due to race condition"
#: If this variable is set to anything, an error of the operating system keeps its traceback.
DEBUG = "PYCACHE_GUARD_DEBUG"

#: Each is a module in `commands/` with a `main(argv) -> int` and the constants of its help text; `-`
#: becomes `_`. The help page and the documentation have this order.
COMMANDS = (
    "forbid-bytecode",
    "check-gitignore",
    "fix",
    "check-history",
    "pre-push",
    "pre-receive",
    "ci",
    "check-dockerignore",
    "check-dist",
    "check-bundle",
    "inspect",
    "verify-bytecode",
    "clean",
    "doctor",
    "lint",
    "explain",
)


#: Commands that read the index if they have no arguments, and whether they compare it with HEAD.
READS_INDEX = {"forbid-bytecode": True, "check-gitignore": False}

#: Words that are answered here, in place of a command.
HELP_WORDS = ("help", "--help", "-h")
VERSION_WORDS = ("version", "--version", "-V")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 no findings, 1 findings, 2 error.

    This is the one place where a failure becomes a line on stderr. The code is 128 + n if signal n
    ended the run. All child processes are stopped. Any unexpected exception is raised.
    """
    from pycache_guard.errors import Failure
    from pycache_guard.git.spawn import stop_all

    try:
        try:
            return dispatch(list(sys.argv[1:] if argv is None else argv))
        finally:
            stop_all()
    except KeyboardInterrupt as end:
        stop_all()  # the signal may have interrupted the first call
        return exit_code_for(end)
    # These handlers come after `stop_all`: if file descriptors ran out, those of the child processes
    # are closed by now, so the imports below can open files.
    except Failure as failure:
        return fail(str(failure))
    except UnicodeDecodeError as error:
        # On Windows Python decodes git's paths, which are bytes, as UTF-8. Elsewhere this is a bug.
        if not compat.WINDOWS:
            raise
        path = error.object.decode("utf-8", "backslashreplace")
        return fail(f"{path}: the path is not UTF-8, so Windows cannot have it")
    except OSError as error:
        if os.environ.get(DEBUG):
            raise
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        return fail(f"{where}{error.strerror or error}")


def exit_code_for(end: KeyboardInterrupt) -> int:
    """Return the exit code for termination by a signal."""
    return 128 + (end.args[0] if end.args else SIGINT)


def run() -> NoReturn:
    """Run as a program and exit at once: an orderly shutdown of the interpreter costs 2 ms more.

    Nothing depends on that shutdown: the output is flushed here, and every file and child process is
    closed where it is used.
    """
    sys.unraisablehook = on_unraisable
    handle_signals(on_signal)
    try:
        drop_untrusted_sys_path()
        code = main()
    except KeyboardInterrupt as end:  # raised outside the handlers of `main`
        code = exit_code_for(end)
    except SystemExit as end:  # argparse, after --help
        code = 0 if end.code is None else end.code if isinstance(end.code, int) else 2
    except BaseException:  # noqa: BLE001 - whatever it was, the job was not done
        code = crashed()
    handle_signals(_signal.SIG_DFL)
    if compat.HAS_TIMER:  # of a signal that was to be sent again, see `on_unraisable`
        _signal.setitimer(_signal.ITIMER_REAL, 0)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:  # noqa: SIM105 - contextlib costs 1 ms
                stream.flush()
            except (OSError, ValueError):  # the reader has gone away, or the stream is closed
                pass
    os._exit(code)


def crashed() -> int:
    """Write the traceback of the current exception to stderr; return 2.

    `sys.__excepthook__` is written in C: it imports nothing and needs hardly any memory.
    """
    try:  # noqa: SIM105 - contextlib costs 1 ms
        sys.__excepthook__(*sys.exc_info())
    except BaseException:  # noqa: BLE001, S110 - the exit code shows the error
        pass
    return 2


def handle_signals(handler: object) -> None:
    """Set the handler of each termination signal. A signal that is ignored stays so (nohup(1))."""
    for number in compat.TERMINATION_SIGNALS:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, handler)


def on_signal(number: int, _: object) -> NoReturn:
    """Raise `KeyboardInterrupt(number)`, so that temporary files go and children are stopped.

    Further signals are ignored: they must not interrupt that.
    """
    handle_signals(_signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def on_unraisable(unraisable: UnraisableHookArgs) -> None:
    """Send a signal again whose `KeyboardInterrupt` Python has dropped (`sys.unraisablehook`).

    Python drops what is raised in a callback of a weak reference or in `__del__`; `import` runs such
    callbacks. The run would go on, and could wait for git without end. A timer sends the signal again,
    after this function: what it raises itself is dropped too. Windows has no such timer, so the run
    ends there at once, and its temporary files stay.
    """
    end = unraisable.exc_value
    if isinstance(end, OSError) and SECOND_SIGNAL in str(end):
        return
    if not isinstance(end, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    if not compat.HAS_TIMER:
        os._exit(exit_code_for(end))
    number = exit_code_for(end) - 128
    _signal.signal(_signal.SIGALRM, lambda _, frame: on_signal(number, frame))
    _signal.setitimer(_signal.ITIMER_REAL, RESEND_SECONDS)


def drop_untrusted_sys_path() -> None:
    """Remove the current directory and the entries of `PYTHONPATH` from the module search path.

    A checkout may contain a `json.py` or a `select.py`, which must not run. The directory of this
    program stays.
    """
    try:
        own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        os.getcwd()
    except FileNotFoundError:  # the current directory was deleted, with all its files
        return
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    foreign = {os.path.abspath(path) for path in ("", *named)} - {own}
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) not in foreign]


def dispatch(argv: list[str]) -> int:
    """Run the command that `argv` begins with, or print help or the version."""
    name = argv[0] if argv else ""
    if name in COMMANDS:
        return run_command(name, argv[1:])
    if not argv:
        print_help_page()
        return 2
    if name in HELP_WORDS:
        return show_help(argv[1:])
    if name in VERSION_WORDS:
        from pycache_guard import __version__
        from pycache_guard.commands import print_safely

        print_safely(f"pycache-guard {__version__}\n")
        return 0
    command = next((word for word in argv if word in COMMANDS), None)
    if name.startswith("-") and command:
        return fail(f"options follow the command: {reorder_options(argv, command)}")
    return fail(f"{name!r} is not a command{suggestion(name)} (see `pycache-guard --help`)")


def run_command(name: str, argv: Sequence[str]) -> int:
    """Import the module of the command `name` and run it."""
    if not argv and name in READS_INDEX:
        from pycache_guard.git.index import start_index  # git runs while the command is imported

        start_index(compare=READS_INDEX[name])
    elif name == "ci":
        from pycache_guard.commands._index_child import start_index_child

        start_index_child()
    # Not importlib.import_module, which costs 0.5 ms more: it imports warnings.
    module = __import__(f"pycache_guard.commands.{name.replace('-', '_')}", fromlist=["main"])
    code: int = module.main(argv)
    return code


def show_help(words: list[str]) -> int:
    """Print the help of the command that `words` begins with; without one, the list of commands."""
    name = words[0] if words else "help"
    if name in COMMANDS:
        return run_command(name, ["--help"])
    if name in HELP_WORDS or name in VERSION_WORDS:
        print_help_page()
        return 0
    return fail(f"{name!r} is not a command{suggestion(name)} (see `pycache-guard --help`)")


def reorder_options(argv: list[str], command: str) -> str:
    """Return a command line with the words of `argv` in which `command` comes first."""
    from pycache_guard.remedies import shell_quote

    rest = [*argv]
    rest.remove(command)
    return " ".join(["pycache-guard", command, *map(shell_quote, rest)])


def suggestion(name: str) -> str:
    """Return `: did you mean X?` for the commands that are spelled like `name`, or nothing."""
    from difflib import get_close_matches

    matches = get_close_matches(name.lower(), (*COMMANDS, "help", "version"))
    names = " or ".join(f"`{match}`" for match in matches)
    return f": did you mean {names}?" if names else ""


def print_help_page() -> None:
    """Print the list of commands."""
    from pycache_guard.commands import print_safely

    print_safely(usage())


def usage() -> str:
    """Return the help page: the list of commands, an example, the exit codes."""
    from pycache_guard.commands._help import load_help

    width = max(map(len, COMMANDS))
    return "\n".join(
        [
            "usage: pycache-guard COMMAND [OPTION...]",
            "Keep Python bytecode out of places where it does not belong.",
            "",
            *(f"  {name:{width}}  {load_help(name).summary}" for name in COMMANDS),
            "",
            "example: pycache-guard fix --dry-run",
            "exit codes: 0 no findings; 1 findings, or files were changed; 2 error",
            "more: `pycache-guard help COMMAND`",
            "",
        ]
    )


def fail(message: str) -> int:
    """Write one `error: …` line to stderr; return 2."""
    from pycache_guard.commands._output import print_error

    print_error(message)
    return 2
