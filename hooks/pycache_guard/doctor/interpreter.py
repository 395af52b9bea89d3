"""The examined interpreter: its name, version, tag and magic number, and where it writes bytecode.

The interpreter is asked in isolation; nothing of the checkout is run.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.doctor.caches import is_world_writable
from pycache_guard.doctor.report import DoctorReport, Fact
from pycache_guard.findings import Finding, Rule
from pycache_guard.remedies import shell_quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.interpreters.identity import Interpreter


def describe_interpreter(python: Interpreter) -> DoctorReport:
    """Return the facts about an interpreter."""
    magic = identify_magic(python.magic)
    number = int.from_bytes(python.magic[:2], "little")
    known = f"{magic.implementation} {magic.version}" if magic else "not known"
    facts = [
        Fact(
            "interpreter",
            "python",
            f"{python.implementation} {python.version}, {python.executable}",
            "The report is about this interpreter. To examine another one: --python EXE.",
            {
                "executable": python.executable,
                "implementation": python.implementation,
                "version": python.version,
            },
        ),
        Fact(
            "interpreter",
            "cache tag",
            python.tag or "none",
            "The name of every cache contains the tag, so several versions of Python can keep"
            " their caches in one directory (PEP 3147)."
            if python.tag
            else "Without a tag, Python writes bytecode next to the source, or not at all.",
            python.tag or None,
        ),
        Fact(
            "interpreter",
            "magic number",
            f"{number} ({python.magic.hex(' ')}): {known}",
            "Every cache starts with it. Python compiles the source again if a cache has another one.",
            {"number": number, "bytes": python.magic.hex()},
        ),
    ]
    return DoctorReport(facts, [])


NO_WRITE_VARIABLE = "PYTHONDONTWRITEBYTECODE"
PREFIX = "PYTHONPYCACHEPREFIX"
#: Sets a prefix outside every checkout.
SUGGESTED_PREFIX = f"export {PREFIX}=~/.cache/pycache"
#: The first version that supports a prefix (bpo-33499).
PREFIX_SINCE = (3, 8)


def describe_writing(
    python: Interpreter, environment: Mapping[str, str], root: str
) -> DoctorReport:
    """Return what the environment variables determine; `-B` or `-X` of other processes are unknown."""
    off = bool(environment.get(NO_WRITE_VARIABLE))
    written = Fact(
        "writing",
        "bytecode is written",
        f"no: {NO_WRITE_VARIABLE} is set" if off else "yes",
        "Python compiles every module without a cache again at each start. To enable writing:"
        f" `unset {NO_WRITE_VARIABLE}`."
        if off
        else f"Python writes a cache at the first import of a module. {NO_WRITE_VARIABLE}=1 and"
        " `python -B` disable writing; existing caches are still read.",
        not off,
    )
    prefix = environment.get(PREFIX) or None
    if prefix is None:
        return DoctorReport([written, default_location()], [])
    if python.release < PREFIX_SINCE:
        return DoctorReport([written, prefix_unsupported(python)], [])
    return DoctorReport([written, redirected_location(prefix)], find_prefix_problems(prefix, root))


def default_location() -> Fact:
    """Return the fact for the default location."""
    return Fact(
        "writing",
        "where to",
        "__pycache__ next to each source",
        f"{PREFIX}=DIR, or `-X pycache_prefix=DIR`, moves all caches to one directory outside of"
        " checkouts.",
        None,
    )


def prefix_unsupported(python: Interpreter) -> Fact:
    """Return the fact for an interpreter that does not support a prefix."""
    return Fact(
        "writing",
        "where to",
        f"__pycache__ next to each source: Python {python.version} ignores {PREFIX}",
        f"{PREFIX} needs Python 3.8 or later.",
        None,
    )


def redirected_location(prefix: str) -> Fact:
    """Return the fact for a location that the variable sets."""
    return Fact(
        "writing",
        "where to",
        f"{prefix} ({PREFIX})",
        "Python reads only caches below this directory and ignores those in __pycache__. Programs that"
        " start without the variable still write next to the sources.",
        prefix,
    )


def find_prefix_problems(prefix: str, root: str) -> list[Finding]:
    """Return the findings about a prefix: PYC602."""
    if not os.path.isabs(prefix):
        message = (
            f"{PREFIX} is relative ({prefix}): it means another directory in each working directory"
        )
        return [Finding(None, Rule.PYC602, message, SUGGESTED_PREFIX)]
    findings = []
    real, top = os.path.realpath(prefix), os.path.realpath(root)
    if real == top or real.startswith(os.path.join(top, "")):
        inside = os.path.relpath(real, top).replace(os.sep, "/")
        message = (
            f"{PREFIX} is inside the checkout: Python would run bytecode that is committed there"
        )
        findings.append(Finding(inside, Rule.PYC602, message, SUGGESTED_PREFIX))
    place = real
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if not os.access(place, os.W_OK | os.X_OK):
        message = f"{PREFIX} is not writable ({prefix}): Python cannot write any cache"
        command = f'sudo install -d -o "$(id -u)" -- {shell_quote(prefix)}'
        findings.append(Finding(None, Rule.PYC602, message, command))
    elif place == real and is_world_writable(status := os.stat(real)):
        message = f"{PREFIX} is writable for every user ({prefix}): others can put code there"
        is_ours = status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX
        command = f"chmod o-w -- {shell_quote(prefix)}" if is_ours else SUGGESTED_PREFIX
        findings.append(Finding(None, Rule.PYC602, message, command))
    return findings


def is_redirected(python: Interpreter, environment: Mapping[str, str]) -> bool:
    """Return whether a prefix is in effect, so that Python writes no caches next to sources."""
    return bool(environment.get(PREFIX)) and python.release >= PREFIX_SINCE
