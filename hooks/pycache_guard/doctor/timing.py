"""Measure what the cache saves: the import of a module with and without one."""

from __future__ import annotations

import os
import statistics
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.doctor.interpreter import NO_WRITE_VARIABLE, PREFIX_SINCE
from pycache_guard.doctor.report import DoctorReport, Fact
from pycache_guard.errors import Failure
from pycache_guard.git.tempdir import TemporaryDirectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.interpreters.identity import Interpreter

#: The number of pairs of a cold and a warm import.
ROUND_COUNT = 7
#: Maximum time of one import, in seconds.
TIMEOUT_SECONDS = 120

#: Writes the time to a file, because the module can print to stdout. As with `python -c`, the current
#: directory is searched first.
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
    """Import times in seconds, in the order of measurement."""

    cold: list[float]
    warm: list[float]


def time_import(module: str, python: Interpreter) -> Times:
    """Import `module` several times, each time in a new process.

    A cold import has an empty directory as `-X pycache_prefix`; the warm import has the same directory
    afterwards. Caches of the checkout are neither read nor written. Raises `Failure` if the import
    fails.
    """
    if python.release < PREFIX_SINCE:
        raise Failure(f"--time needs Python 3.8 or later; this is {python.version}")
    times = Times([], [])
    with TemporaryDirectory() as directory:
        for number in range(ROUND_COUNT):
            prefix = os.path.join(directory, str(number))
            times.cold.append(_import_once(module, python, prefix, directory))
            times.warm.append(_import_once(module, python, prefix, directory))
    return times


def _import_once(module: str, python: Interpreter, prefix: str, directory: str) -> float:
    """Import a module once; return the time in seconds."""
    answer = os.path.join(directory, "answer")
    # `-X` takes precedence over a prefix in the environment.
    kept = {name: value for name, value in os.environ.items() if name != NO_WRITE_VARIABLE}
    command = [python.executable, "-X", f"pycache_prefix={prefix}", "-c", IMPORT, module, answer]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=kept,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"{module}: its import took more than {TIMEOUT_SECONDS} seconds") from None
    if done.returncode or not os.path.exists(answer):
        said = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
        raise Failure(
            f"{module}: cannot be imported: {said[-1] if said else 'the process ended early'}"
        )
    with open(answer, encoding="ascii") as file:
        taken = float(file.read())
    os.unlink(answer)
    return taken


def describe_times(modules: Sequence[str], python: Interpreter) -> DoctorReport:
    """Measure the import of each module; return median and spread."""
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
                f"{format_times(times.cold)} without a cache, {format_times(times.warm)} with: "
                f"{cold / warm:.1f} times as fast",
                f"Median (minimum to maximum) of {ROUND_COUNT} new processes each, including all imported modules.",
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


def format_times(times: Sequence[float]) -> str:
    """Return median, minimum and maximum in milliseconds."""
    least, middle, most = (
        1000 * time for time in (min(times), statistics.median(times), max(times))
    )
    return f"{middle:.1f} ms ({least:.1f} to {most:.1f})"
