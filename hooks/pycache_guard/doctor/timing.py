"""What the cache buys: the import of a module, with and without one, several times."""

from __future__ import annotations

import os
import statistics
import subprocess
from typing import NamedTuple

from pycache_guard.doctor.fact import DoctorReport
from pycache_guard.doctor.fact import Fact
from pycache_guard.doctor.writing import NO_WRITE_VARIABLE
from pycache_guard.doctor.writing import PREFIX_SINCE
from pycache_guard.errors import Failure
from pycache_guard.git.tempdir import TemporaryDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.doctor.interpreter import Interpreter

#: Pairs of a cold and a warm import.
ROUNDS = 7
#: Seconds that one import may take.
PATIENCE = 120

#: The module's own output is not in the way: the time goes to a file. As with `python -c`, modules are
#: looked for in the current directory first.
IMPORT = """
import sys
from time import perf_counter
module, answer = sys.argv[1:]
del sys.argv[1:]
start = perf_counter()
__import__(module)
taken = perf_counter() - start
with open(answer, "w") as file:
    file.write(repr(taken))
"""


class Times(NamedTuple):
    """Seconds, in the order they were taken."""

    cold: list[float]
    warm: list[float]


def time_import(module: str, python: Interpreter) -> Times:
    """Import `module` again and again, each time in a new process.

    It is cold when `-X pycache_prefix` names an empty directory, and warm when it is the same the
    second time: no cache of the checkout is read, written or removed. Raises `Failure` if the
    import fails.
    """
    if python.release < PREFIX_SINCE:
        raise Failure(f"--time needs Python 3.8 or later, and this is {python.version}")
    times = Times([], [])
    with TemporaryDirectory() as directory:
        for number in range(ROUNDS):
            prefix = os.path.join(directory, str(number))
            times.cold.append(_import_once(module, python, prefix, directory))
            times.warm.append(_import_once(module, python, prefix, directory))
    return times


def _import_once(module: str, python: Interpreter, prefix: str, directory: str) -> float:
    """Import a module once; return the seconds that it took."""
    answer = os.path.join(directory, "answer")
    # A prefix in the environment counts for nothing beside `-X`.
    kept = {name: value for name, value in os.environ.items() if name != NO_WRITE_VARIABLE}
    command = [python.executable, "-X", f"pycache_prefix={prefix}", "-c", IMPORT, module, answer]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=kept,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"{module}: its import took more than {PATIENCE} seconds") from None
    if done.returncode or not os.path.exists(answer):
        said = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
        raise Failure(f"{module}: cannot be imported: {said[-1] if said else 'it ended early'}")
    with open(answer, encoding="ascii") as file:
        taken = float(file.read())
    os.unlink(answer)
    return taken


def described(modules: Sequence[str], python: Interpreter) -> DoctorReport:
    """Measure, and tell median and spread."""
    facts, failures = [], []
    for module in modules:
        try:
            times = time_import(module, python)
        except Failure as failure:
            failures.append(str(failure))
            continue
        cold, warm = map(statistics.median, times)
        facts.append(
            Fact(
                "import",
                module,
                f"{shown(times.cold)} without a cache, {shown(times.warm)} with: "
                f"{cold / warm:.1f} times",
                f"Median and spread of {ROUNDS} new processes each, with all that the module imports.",
                {
                    "module": module,
                    "cold_seconds": times.cold,
                    "warm_seconds": times.warm,
                    "cold_median": cold,
                    "warm_median": warm,
                },
            )
        )
    return DoctorReport(facts, [], failures)


def shown(times: Sequence[float]) -> str:
    """Return median, least and most in milliseconds."""
    least, middle, most = (
        1000 * time for time in (min(times), statistics.median(times), max(times))
    )
    return f"{middle:.1f} ms ({least:.1f} to {most:.1f})"
