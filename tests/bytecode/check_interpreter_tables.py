"""Ask interpreters whether our tables say of them what they say of themselves.

    python tests/bytecode/check_interpreter_tables.py EXE...

For adding a Python: what it prints on a mismatch belongs into `magic_numbers.py` and `opcodes.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys

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
    return agreed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
