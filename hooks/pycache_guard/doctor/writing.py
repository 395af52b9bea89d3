"""Whether bytecode is written, and where to."""

from __future__ import annotations

import os

from pycache_guard.doctor.fact import Diagnosis
from pycache_guard.doctor.fact import Fact
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.remedies import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.doctor.interpreter import Interpreter

SWITCH = "PYTHONDONTWRITEBYTECODE"
PREFIX = "PYTHONPYCACHEPREFIX"
#: A place that is nobody's checkout.
ELSEWHERE = f"export {PREFIX}=~/.cache/pycache"
#: The first version that knows a prefix (bpo-33499).
PREFIX_SINCE = (3, 8)


def writing(python: Interpreter, environment: Mapping[str, str], root: str) -> Diagnosis:
    """Tell what the environment says; a `-B` or `-X` on a command line cannot be seen from here."""
    off = bool(environment.get(SWITCH))
    written = Fact(
        "writing",
        "bytecode is written",
        f"no: {SWITCH} is set" if off else "yes",
        "Each start compiles every module that has no cache yet, as `python -B` does for one run;"
        f" to write again: `unset {SWITCH}`."
        if off
        else f"Python writes a cache at the first import of a module, unless {SWITCH}=1 or"
        " `python -B` forbids it; what is there is read all the same.",
        not off,
    )
    prefix = environment.get(PREFIX) or None
    if prefix is None:
        return Diagnosis([written, beside()], [])
    if python.release < PREFIX_SINCE:
        return Diagnosis([written, unheeded(python)], [])
    return Diagnosis([written, redirected(prefix)], wrong_prefix(prefix, root))


def beside() -> Fact:
    """Tell the usual place."""
    return Fact(
        "writing",
        "where to",
        "__pycache__ beside each source",
        f"{PREFIX}=DIR, or `-X pycache_prefix=DIR`, gathers all caches in one tree elsewhere:"
        " no checkout, editor or container image gets any.",
        None,
    )


def unheeded(python: Interpreter) -> Fact:
    """Tell of an interpreter that is too old for a prefix."""
    return Fact(
        "writing",
        "where to",
        f"__pycache__ beside each source: Python {python.version} does not know {PREFIX}",
        "Python 3.8 was the first that does.",
        None,
    )


def redirected(prefix: str) -> Fact:
    """Tell the place that a variable names."""
    return Fact(
        "writing",
        "where to",
        f"{prefix} ({PREFIX})",
        "Caches are read there only, and what lies in __pycache__ is not; editors and containers"
        " that do not have the variable still write beside the sources.",
        prefix,
    )


def wrong_prefix(prefix: str, root: str) -> list[Finding]:
    """Return what is wrong with a prefix: PYC602."""
    if not os.path.isabs(prefix):
        message = f"{PREFIX} is relative ({prefix}): each current directory has caches of its own"
        return [Finding(None, Rule.PYC602, message, ELSEWHERE)]
    findings = []
    real, top = os.path.realpath(prefix), os.path.realpath(root)
    if real == top or real.startswith(os.path.join(top, "")):
        inside = os.path.relpath(real, top).replace(os.sep, "/")
        message = f"{PREFIX} is in the checkout: what is committed there would be run"
        findings.append(Finding(inside, Rule.PYC602, message, ELSEWHERE))
    place = real
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if not os.access(place, os.W_OK | os.X_OK):
        message = f"{PREFIX} cannot be written to ({prefix}): no cache is ever kept"
        command = f'sudo install -d -o "$(id -u)" -- {quoted(prefix)}'
        findings.append(Finding(None, Rule.PYC602, message, command))
    return findings
