"""Determine whether a hook script refuses bytecode: itself, through a runner, or through another script.

Scripts are read, never run. The commands in them are recognized by patterns, as far as that is possible
for a shell script. Sources: husky `index.mjs` (`.husky/_/h` runs
`.husky/STAGE`), pre-commit `resources/hook-tmpl` and `commands/install_uninstall.py` (`STAGE.legacy`),
lefthook's documentation of `run`, githooks(5).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.doctor.hook_configurations import TASK_FILES
from pycache_guard.fs import regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.doctor.hook_configurations import Configurations

#: How many scripts may call each other.
MAX_CALL_DEPTH = 6

#: The names of this program.
PROGRAM = re.compile(r"pycache[-_]guard", re.IGNORECASE)
#: The commands that check the next commit, and those that check pushed commits.
AT_COMMIT = r"(?<![\w-])(?:forbid-bytecode(?:-paths)?|ci)(?![\w.-])"
AT_PUSH = r"(?<![\w-])(?:forbid-bytecode(?:-paths)?|ci|check-history|pre-push)(?![\w.-])"
#: Commands that no other program has.
OWN_WORDS = re.compile(r"forbid-bytecode|check-history")
PRE_COMMIT = re.compile(r"(?<![\w/.-])pre-commit[\"']?\s+(?:run|hook-impl)\b|-m\s*pre_commit\b")
PREK = re.compile(r"(?<![\w.-])prek(?![\w.-])")
LEFTHOOK = re.compile(r"lefthook")
#: `--hook-type=pre-push`, `--hook-stage pre-push`, `lefthook run "pre-push"`.
STAGE = re.compile(r"--hook-(?:type|stage)[=\s]+[\"']?([\w-]+)")
CONFIG = re.compile(r"(?:--config|-c)[=\s]+[\"']?([^\s\"'()]+)")
RUN = re.compile(r"(?:pre-commit|pre_commit|prek)[\"']?\s+run\b([^\n]*)")
SCRIPT_RUNNERS = re.compile(r"(?<![\w.-])(?:npm|pnpm|yarn|bun)\s+(?:run(?:-script)?\s+)?([\w:.-]+)")
MAKE = re.compile(r"(?<![\w./-])g?make\s+((?:[\w.-]+\s*)+)")

COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#.*$")
#: Commands that only print, and commands that turn a failure into success.
PRINTING = ("echo", "printf", "cat", ":")
SWALLOWING = (*PRINTING, "true", "exit 0")
#: Words that end a compound command and run nothing themselves.
CLOSING = ("fi", "done", "esac", "}", ")", ";;")
WORDS = re.compile(r"[^\s;&|()<>\"'`{}$=]+")


class Verdict(NamedTuple):
    """Whether a hook refuses bytecode."""

    is_guard: bool
    #: The runner: `pycache-guard` itself, `pre-commit`, `prek`, `lefthook`, or a key of git.
    by: str = ""
    #: What to change if the hook runs the program but does not refuse the commit.
    flaw: str = ""


NOTHING = Verdict(is_guard=False)
IGNORED = Verdict(
    is_guard=False,
    flaw="put `|| exit 1` after `pycache-guard forbid-bytecode`",
)


class Scripts:
    """The hook scripts of a work tree, and the scripts that they call."""

    def __init__(self, top: str, directory: str | None, configurations: Configurations) -> None:
        self._top = top
        #: The hook directory of git.
        self._directory = directory
        self._configurations = configurations
        self._seen: set[str] = set()
        #: By text, stage and depth.
        self._verdicts: dict[tuple[str, str, int], Verdict] = {}

    def check_hook(self, stage: str, content: bytes) -> Verdict:
        """Return the verdict for the script that git runs at `stage`."""
        self._seen = set()
        self._verdicts = {}
        verdicts = [
            self._check(text, stage, 0)
            for text in (_decode(content), *self._read_chained(stage, content))
        ]
        return _best(verdicts)

    def check_command(self, stage: str, command: str) -> Verdict:
        """Return the verdict for a command of the git configuration at `stage`."""
        self._seen = set()
        self._verdicts = {}
        return self._check(command, stage, 0)

    def _read_chained(self, stage: str, content: bytes) -> Iterator[str]:
        """Yield the content of other scripts that the hook script of a runner starts at this stage."""
        if self._directory is None:
            return
        where = os.path.join(self._directory, stage)
        yield from self._read(f"{where}.legacy")  # pre-commit runs it before its own hooks
        for name in _list(f"{where}.d"):
            yield from self._read(os.path.join(f"{where}.d", name))
        above, last = os.path.split(os.path.normpath(self._directory))
        if last == "_" or b"husky" in content:  # husky runs the script of that name one level up
            yield from self._read(os.path.join(above, stage))

    def _check(self, text: str, stage: str, depth: int) -> Verdict:
        if depth > MAX_CALL_DEPTH:
            return NOTHING
        key = (text, stage, depth)
        if key not in self._verdicts:
            self._configurations.count_text(len(text))
            self._verdicts[key] = self._check_once(text, stage, depth)
        return self._verdicts[key]

    def _check_once(self, text: str, stage: str, depth: int) -> Verdict:
        found = [_check_program(text, stage)]
        found += [
            self._check_runners(statement, stage, depth)
            for statement in dict.fromkeys(_statements(_clean(text)))
        ]
        return _best(found)

    def _check_runners(self, statement: str, stage: str, depth: int) -> Verdict:
        """Return the verdict for a command that calls a runner or another script."""
        if _is_swallowed(statement):
            return NOTHING
        named = STAGE.search(statement)
        at = named[1] if named else stage
        if LEFTHOOK.search(statement):
            run = re.search(r"\brun\s+[\"']?([\w-]+)", statement)
            texts = self._configurations.list_lefthook_commands(run[1] if run else stage)
            found = _best([self._check(text, stage, depth + 1) for text in texts])
            return found._replace(by="lefthook") if found.is_guard else found
        for runner, pattern in (("pre-commit", PRE_COMMIT), ("prek", PREK)):
            if pattern.search(statement):
                config = CONFIG.search(statement)
                path = config[1] if config else None
                only = _chosen_hooks(statement)
                names = self._configurations.list_guards(runner, _full_stage(at), path)
                is_guard = any(not only or name in only for name in names)
                return Verdict(is_guard, runner)
        return self._check_called(statement, stage, depth)

    def _check_called(self, statement: str, stage: str, depth: int) -> Verdict:
        texts: list[str] = []
        for script in SCRIPT_RUNNERS.findall(statement):
            texts += self._configurations.list_package_scripts(script)
        for targets in MAKE.findall(statement):
            texts += self._configurations.list_make_rules(targets.split())
        words = WORDS.findall(statement)
        for runner in TASK_FILES.keys() & {*words}:
            texts += self._configurations.list_tasks(runner, words)
        for word in words:
            texts += self._read_called(word)
        return _best([self._check(text, stage, depth + 1) for text in texts])

    def _read_called(self, word: str) -> Iterator[str]:
        """Yield the content of the script with the path `word`, if it is in the work tree."""
        if "/" not in word and "." not in word:
            return
        name = word.lstrip("/") if word.startswith("/") else word
        places = [self._top, *([self._directory] if self._directory else [])]
        for place in places:
            path = os.path.join(place, name)
            is_script = os.path.splitext(name)[1] in (".sh", ".bash", ".py", ".js", ".cmd", ".ps1")
            if os.path.isfile(path) and (is_script or os.access(path, os.X_OK)):
                yield from self._read(path)

    def _read(self, path: str) -> Iterator[str]:
        real = os.path.realpath(path)
        if real in self._seen:
            return
        try:
            with regular.open_regular(path) as file:
                data = file.read(regular.MAX_TEXT_BYTES)
        except OSError:
            return
        if b"\0" not in data:
            self._seen.add(real)
            yield _decode(data)


def _check_program(text: str, stage: str) -> Verdict:
    """Return whether a script runs this program and passes its exit code on."""
    clean = _clean(text)
    if not PROGRAM.search(clean):
        return NOTHING
    guarding = re.compile(AT_PUSH if stage == "pre-push" else AT_COMMIT)
    running = [
        statement
        for statement in _statements(clean)
        if guarding.search(statement)
        # The program may be in a variable.
        and (PROGRAM.search(statement) or OWN_WORDS.search(statement))
    ]
    counting = [statement for statement in running if not _is_swallowed(statement)]
    if not counting:
        return IGNORED if running else NOTHING
    # Without `set -e`, as `sh -e` of husky has it, the last command's exit code is the hook's.
    if _is_plain_script(text):
        following = _following_lines(clean)
        if all(_is_forgotten(statement, following) for statement in counting):
            return IGNORED
    return Verdict(is_guard=True, by="pycache-guard")


def _clean(text: str) -> str:
    """Return a script without comments and continued lines."""
    return COMMENT.sub("", text.replace("\\\r\n", " ").replace("\\\n", " "))


def _statements(clean: str) -> Iterator[str]:
    """Yield the commands of a script that do more than print, each with its `||` part."""
    for statement in re.split(r"\n|;|&&|(?<!\|)\|(?!\|)", clean):
        words = statement.split(None, 1)
        if words and words[0].lstrip("@-") not in PRINTING:
            yield statement.strip()


def _is_swallowed(statement: str) -> bool:
    """Return whether `||` turns a failure of the command into success: `… || true`."""
    first, *others = (part.strip() for part in statement.split("||"))
    return bool(others) and bool(first) and others[-1].startswith(SWALLOWING)


def _is_plain_script(text: str) -> bool:
    """Return whether a script continues after a failing command: a shell script without `set -e`."""
    shebang = text.split("\n", 1)[0]
    if not re.match(r"#!.*\b(?:ba|da|k|z)?sh\b", shebang):
        return False  # husky and lefthook, or no shell
    if "husky.sh" in text:  # it starts the hook once more, with `sh -e`
        return False
    ends = r"(?m)^[^\S\n]*set\s+(?:-\w+\s+)*-(?:\w*e|o\s+errexit)"
    return not re.search(r"\s-\w*e", shebang) and not re.search(ends, text)


def _following_lines(clean: str) -> dict[str, str]:
    """Return, for each line at its first place, the next line that runs something; empty at the end."""
    found, following = {}, ""
    for line in reversed([line.strip() for line in clean.splitlines() if line.strip()]):
        found[line] = following
        following = following if line in CLOSING else line
    return found


def _is_forgotten(statement: str, following: dict[str, str]) -> bool:
    """Return whether a command is alone on a line and the script ignores its exit code."""
    after = following.get(statement, "")  # empty for `if ! …`, `… && …`, `exec …; …`
    is_checked = statement.startswith(("exec ", "if ", "!")) or "||" in statement
    return bool(after) and not is_checked and "$?" not in after and not after.startswith("exit")


def _chosen_hooks(statement: str) -> set[str]:
    """Return the hook ids after `pre-commit run`; an empty set if every hook runs."""
    run = RUN.search(statement)
    words = run[1].split("||")[0].split() if run else []
    values = ("--hook-stage", "--config", "-c", "--from-ref", "--to-ref", "--files", "--color")
    return {
        word.strip("\"'")
        for before, word in zip(["", *words], words, strict=False)
        if word[0] not in "-$\"'>2" and before not in values
    }


def _full_stage(stage: str) -> str:
    """Return the current name of a stage: pre-commit 3.2 renamed three."""
    short = ("commit", "push", "merge-commit")
    return f"pre-{stage}" if stage in short else stage


def _best(verdicts: list[Verdict]) -> Verdict:
    """Return the first verdict that is a guard, else the first with a flaw."""
    for verdict in verdicts:
        if verdict.is_guard:
            return verdict
    return next((verdict for verdict in verdicts if verdict.flaw), NOTHING)


def _list(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
