"""Ask interpreters whether our tables say of them what they say of themselves.

    python tests/bytecode/check_interpreter_tables.py EXE...

For adding a Python: what it prints on a mismatch belongs into `magic_numbers.py`, `tampering.py` and
`control_flow.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from pycache_guard.bytecode.control_flow import FLOWS, Flow
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.tampering import OPCODES

#: Runs in every Python from 2.7 on.
QUESTION = """
import json, opcode, platform, sys
try:
    from importlib.util import MAGIC_NUMBER
except ImportError:
    from imp import get_magic
    MAGIC_NUMBER = get_magic()
caches = getattr(opcode, "_inline_cache_entries", {})
if not hasattr(caches, "items"):
    caches = {opcode.opname[code]: units for code, units in enumerate(caches)}
print(json.dumps({
    "magic": list(bytearray(MAGIC_NUMBER)),
    "implementation": platform.python_implementation(),
    "version": "%d.%d" % sys.version_info[:2],
    "opmap": opcode.opmap,
    "caches": dict(caches),
    "jumps": [opcode.opname[code] for code in opcode.hasjrel if code < 256],
}))
"""
INTERNAL = ("CACHE", "RESERVED", "ENTER_EXECUTOR", "TRACE_RECORD", "INSTRUMENTED_")


def main(executables: list[str]) -> int:
    """Compare each with the tables; 1 when one disagrees."""
    disagree = [exe for exe in executables if not matches_tables(exe)]
    return 1 if disagree else 0


def matches_tables(executable: str) -> bool:
    """Tell whether `executable` and the tables agree, and print what it says."""
    asked = subprocess.run([executable, "-E", "-c", QUESTION], check=True, capture_output=True)
    said = json.loads(asked.stdout)
    magic = identify_magic(bytes(said["magic"]))
    agreed = magic is not None and [magic.implementation, magic.version] == [
        said["implementation"],
        said["version"],
    ]
    print(executable, said["implementation"], said["version"], magic, agreed)
    written = {
        name: code
        for name, code in said["opmap"].items()
        if code < 256 and not name.startswith(INTERNAL)
    }
    caches = {written[name]: units for name, units in said["caches"].items() if name in written}
    caches = {code: units for code, units in caches.items() if units}
    if magic is None or not caches:
        return agreed
    opcodes = OPCODES.get(magic.number)
    if (
        opcodes is None
        or opcodes.compiler_emitted != set(written.values())
        or opcodes.caches != caches
    ):
        print("  written:", sorted(written.values()))
        print("  caches:", caches)
        return False
    flow = flow_of(written, [name for name in said["jumps"] if name in written])
    if FLOWS.get(magic.number) != flow:
        print("  flow:", flow)
        return False
    return agreed


def flow_of(numbers: dict[str, int], jumps: list[str]) -> Flow:
    """Return how instructions continue, from their numbers and the names of those that jump."""
    named = [name.upper() for name in Flow._fields if name.upper() in numbers]
    others = {name: numbers[name] for name in jumps if name not in named}
    backward = {name for name in others if "BACKWARD" in name or name == "END_ASYNC_FOR"}
    ends = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE")
    single: dict[str, Any] = {name.lower(): numbers[name] for name in named}
    return Flow(
        **single,
        forward=frozenset(number for name, number in others.items() if name not in backward),
        backward=frozenset(others[name] for name in backward),
        final=frozenset(numbers[name] for name in ends if name in numbers),
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
