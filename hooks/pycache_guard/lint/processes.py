"""Command lines that a program gives to other processes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pycache_guard.lint.paths import render_parts, string_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

#: Calls whose first argument is the command: a list of words, or one string.
COMMAND_CALLS = frozenset(
    {
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "asyncio.create_subprocess_shell",
        "os.system",
        "os.popen",
    }
)
#: Calls whose arguments are the words, from this position on.
VARARG_CALLS = {
    "asyncio.create_subprocess_exec": 0,
    "os.execl": 1,
    "os.execlp": 1,
    "os.spawnl": 2,
    "os.spawnlp": 2,
}
#: Calls that take a list of words at this position.
LIST_CALLS = {
    "os.execv": 1,
    "os.execvp": 1,
    "os.execve": 1,
    "os.execvpe": 1,
    "os.spawnv": 2,
    "os.spawnvp": 2,
}
#: A word of each of these names.
COMMAND_WORDS = ("subprocess", "system", "popen", "execl", "execv", "spawnl", "spawnv")
INTERPRETER = re.compile(
    r"(?:.*[/\\])?(?:python|pypy)[\d.]*w?(?:\.exe)?", re.IGNORECASE | re.DOTALL
)
#: Words that stand before a command.
PREFIXES = frozenset({"env", "exec", "nice", "nohup", "sudo", "time"})
#: Options of the interpreter with a value in the next word (Python's manual, "Command line").
WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})


def find_commands(module: Module) -> Iterator[tuple[ast.Call, list[str]]]:
    """Yield each call that starts a process, with the command's words as far as they are known.

    What is not known is NUL.
    """
    for call in module.all(ast.Call):
        origins = module.qualified_names(call.func)
        if origins & COMMAND_CALLS and call.args:
            yield call, split_words(module, call.args[0])
        for origin in origins & VARARG_CALLS.keys():
            yield (
                call,
                [
                    render_parts(string_parts(module, argument))
                    for argument in call.args[VARARG_CALLS[origin] :]
                ],
            )
        for origin in origins & LIST_CALLS.keys():
            for argument in call.args[LIST_CALLS[origin] : LIST_CALLS[origin] + 1]:
                yield call, split_words(module, argument)


def split_words(module: Module, command: ast.expr) -> list[str]:
    """Return the words of a command: the elements of a list, or a string split at blanks."""
    command = module.value(command)
    if isinstance(command, (ast.List, ast.Tuple)):
        return [render_parts(string_parts(module, element)) for element in command.elts]
    return [part.strip("\"'") for part in render_parts(string_parts(module, command)).split()]


def script_arguments(words: list[str]) -> list[str]:
    """Return the words from the script on that an interpreter runs, nothing if it runs none.

    `-c` and `-m` run something else; `-` is standard input.
    """
    starts = [
        n
        for n, word in enumerate(words)
        if INTERPRETER.fullmatch(word) and starts_command(words, n)
    ]
    rest = words[starts[0] + 1 :] if starts else []
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option.startswith(("-c", "-m")) or option == "-":
            return []
        if option in WITH_VALUE:
            rest = rest[1:]
    return rest


def starts_command(words: list[str], n: int) -> bool:
    """Return whether a command begins at word `n`: first of all, after another one, or after `env A=B`."""
    before = words[n - 1] if n else ";"
    return before.endswith((";", "&", "|", "(")) or before in PREFIXES or "=" in before
