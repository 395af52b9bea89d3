"""The three checks of `ci`, side by side: the index, the ignore rules, the commits of a run.

Each waits for git most of the time, so a thread for each is enough; `commands.ci` has the index checked
by a process if it is large. Each check imports what it needs while its git is at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.compat import start_thread
from pycache_guard.errors import Failure
from pycache_guard.git.index import Index
from pycache_guard.git.process import GitFailure
from pycache_guard.git.revisions import UNSHALLOW_HINT, add_shallow_hint
from pycache_guard.git.spawn import SignalsDeferred, end_children
from pycache_guard.report import count
from pycache_guard.scan import (
    Unread,
    check_examined,
    examine_tracked,
    load_config,
    scan_tracked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from pycache_guard.findings import Finding
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.git.tree import RevisionFiles
    from pycache_guard.scan import Examined

#: Seconds between two looks at signals, and between two signals to git processes; how many of them are polite.
WAIT_SECONDS = 0.05
TERM_ROUNDS = 40
#: After so many, the program ends anyway: Python may have left another lock of `import` closed.
MAX_ROUNDS = 100
SIGTERM, SIGKILL = 15, 9


class CheckResult(NamedTuple):
    """The result of one check."""

    findings: list[Finding]
    #: What was checked, as the start of a sentence; empty if nothing was.
    checked: str
    #: The number of index entries, directories or commits.
    number: int
    #: Whole sentences.
    notes: tuple[str, ...] = ()
    #: Why a part could not be checked.
    failures: tuple[str, ...] = ()
    #: For the JSON report.
    keys: dict[str, object] = {}  # noqa: RUF012 - a tuple; nothing writes to it


def examine_index() -> Examined:
    """Read every entry of the index with all contents."""
    return examine_tracked(Index(), content="all")


def check_index(config_from: RevisionFiles | None, examine: Callable[[], Examined]) -> CheckResult:
    """Check every entry of the index with all contents: PYC001, PYC002, PYC003.

    `examine` returns what `examine_index` does.
    """
    failures: tuple[str, ...] = ()
    try:
        examined = examine()
        findings = check_examined(Index(), examined, content="all", config_from=config_from)
        unread = examined.unread
    except GitFailure as failure:
        # A blob is missing, most likely: findings by path are reported anyway.
        failures = (str(failure),)
        unread = Unread()
        findings = scan_tracked(Index(), content="none", config_from=config_from, unread=unread)
    return CheckResult(
        findings,
        f"{count(unread.entries, 'tracked file')} checked, {unread.read:,} read",
        unread.entries,
        _unread_notes(unread),
        failures,
        dict(unread.keys()),
    )


def check_ignore_rules(config_from: RevisionFiles | None) -> CheckResult:
    """Prove that bytecode is ignored: PYC101 to PYC104."""
    index = Index()
    index.start_early(compare=False)
    # Git runs while these are imported.
    from pycache_guard.bytecode.probes import choose_probes
    from pycache_guard.gitignore.check import check_gitignore

    config = load_config(config_from or index)
    result = check_gitignore(index, choose_probes(None, config and config.probes, strict=False))
    return CheckResult(
        result.findings,
        f"{count(result.directories, 'directory', 'directories')} checked",
        result.directories,
        (result.advice,) if result.advice else (),
        keys={"directories": result.directories},
    )


def check_run_commits(
    revisions: Revisions | None, config_from: RevisionFiles | None, full_clone: str
) -> CheckResult:
    """Check every commit of the run: PYC001, PYC002. `full_clone` is advice for a shallow clone."""
    if revisions is None:
        return CheckResult([], "no new commits", 0, keys={"commits": 0})
    unread = Unread()
    commits = 0

    def add(number: int) -> None:
        nonlocal commits
        commits += number

    try:
        revisions.start()
        from pycache_guard.history.scan import check_commits

        findings, unjudged = check_commits(
            revisions, lambda _: config_from or Index(), on_progress=add, unread=unread
        )
    except Failure as failure:
        raise add_shallow_hint(failure) from None
    return CheckResult(
        findings,
        f"{count(commits, 'commit')} checked",
        commits,
        _unread_notes(unread),
        tuple(text.replace(UNSHALLOW_HINT, f"add {full_clone}") for text in unjudged),
        {"commits": commits},
    )


def _unread_notes(unread: Unread) -> tuple[str, ...]:
    return (f"{unread.sentence()}.",) if unread.counts else ()


def run_side_by_side(
    checks: Sequence[Callable[[], CheckResult]],
) -> list[CheckResult | BaseException]:
    """Run checks at the same time; return the result of each, or what it raised, in order.

    If no thread can be started, the checks run one after the other. If a signal ends the program, the
    git processes are ended first, and with them the threads.
    """
    from functools import partial
    from threading import Event

    results: list[CheckResult | BaseException | None] = [None] * len(checks)
    # Not `Thread.join`: a signal that interrupts it marks a running thread as ended (bpo-45274).
    ended = [Event() for _ in checks]

    def run(place: int) -> None:
        try:
            results[place] = checks[place]()
        except BaseException as error:  # noqa: BLE001 - it is raised again, or reported
            results[place] = error
        finally:
            ended[place].set()

    alone = [0]
    started: list[Event] = []
    try:
        with SignalsDeferred():
            for place in range(len(checks) - 1, 0, -1):
                try:
                    start_thread(partial(run, place))
                except RuntimeError:  # can't start new thread
                    alone.append(place)
                else:
                    started.append(ended[place])
        for place in alone:
            run(place)
            result = results[place]
            if isinstance(result, KeyboardInterrupt):
                raise result
        for event in started:
            # A signal between two instructions of Python and the wait would not end a wait without a limit.
            while not event.wait(WAIT_SECONDS):
                pass
    except KeyboardInterrupt:
        end_threads(started)
        raise
    return [result for result in results if result is not None]


def end_threads(started: Sequence[Event]) -> None:
    """Wait until all threads have ended, and end the git processes that they wait for."""
    import _imp

    try:  # noqa: SIM105 - contextlib costs 1 ms
        # A signal that interrupts `import` can leave its lock with this thread; the others wait for it.
        _imp.release_lock()
    except RuntimeError:  # it has not
        pass
    rounds = 0
    while rounds < MAX_ROUNDS and (running := [event for event in started if not event.is_set()]):
        end_children(SIGTERM if rounds < TERM_ROUNDS else SIGKILL)
        rounds += 1
        running[0].wait(WAIT_SECONDS)
