"""A git that fails at one call, given by subcommand and number."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

#: `$1…` are git's; what stands before the verb is passed over. Two that are started at the same
#: time have different numbers, because a directory is made only once.
SCRIPT = r"""#!/bin/sh
here='{here}'
git='{git}'
verb=
skip=0
for word in "$@"; do
    if [ $skip = 1 ]; then skip=0; continue; fi
    case $word in
    -c | -C | --git-dir | --work-tree) skip=1 ;;
    -*) ;;
    *) verb=$word; break ;;
    esac
done
n=1
until mkdir "$here/$verb.$n" 2>/dev/null; do n=$((n + 1)); done
[ "$verb.$n" = "$FAULT_AT" ] || exec "$git" "$@"
# The first bytes alone come through, though git would wait for more questions.
half() {
    exec 3<&0
    { "$git" "$@" <&3 3<&- & echo $! > "$here/pid"; wait; } |
        { head -c "$FAULT_BYTES"; kill -9 "$(cat "$here/pid")" 2>/dev/null; }
}
: > "$here/reached"
case $FAULT in
{faults}
esac
"""

#: Faulty behaviour by name; `$FAULT_BYTES` bytes of real output come first where needed.
FAULTS = {
    "dies": 'echo "fatal: out of luck" >&2; exit 128',
    "is killed": "kill -9 $$",
    "dies half-way": 'half "$@"; echo "fatal: no luck" >&2; exit 128',
    "ends half-way": 'half "$@"; exit 0',
    "is killed half-way": 'half "$@"; kill -9 $$',
    "says nothing": "exit 0",
    "says words": "echo all is well; exit 0",
    "says many words": 'printf "all\\tis\\0well\\n\\0\\0"; exit 0',
    "says noise": 'head -c 5000 "$here/noise"; exit 0',
    "mixes up separators": '"$git" "$@" | {tr} "\\000\\t" "\\n "; exit 0',
    "mixes up digits": '"$git" "$@" | {tr} 0-9a-f q-za-f; exit 0',
    "complains at length": 'head -c 300000 "$here/noise" >&2; exit 1',
    "hangs": "exec sleep 60",
    "hangs half-way": 'half "$@"; exec sleep 60',
}


class FakeGit(NamedTuple):
    """The directory of the fake; `failing_at` returns the environment in which it fails."""

    here: Path

    def failing_at(self, question: str, fault: str, size: int = 20) -> dict[str, str]:
        """Return the environment for one run in which the call `question`, as `VERB.N`, has the `fault`."""
        self.reset()
        path = f"{self.here}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "FAULT_AT": question, "FAULT": fault, "FAULT_BYTES": str(size)}

    def reset(self) -> None:
        """Start counting again."""
        for entry in self.here.iterdir():
            if entry.is_dir():
                entry.rmdir()
        (self.here / "reached").unlink(missing_ok=True)

    @property
    def reached(self) -> bool:
        """Whether the call was made."""
        return (self.here / "reached").exists()

    def asked(self) -> list[str]:
        """Return the calls that were made, in a stable order."""
        return sorted(entry.name for entry in self.here.iterdir() if entry.is_dir())


def false_git(directory: Path) -> FakeGit:
    """Create a fake in a new directory."""
    directory.mkdir()
    noise = b"".join(bytes([n * n * 7919 // 13 % 256]) for n in range(300000))
    (directory / "noise").write_bytes(noise)
    cases = "\n".join(f"'{name}') {script} ;;" for name, script in FAULTS.items())
    git = shutil.which("git")
    assert git is not None
    text = SCRIPT.replace("{here}", os.fspath(directory)).replace("{git}", git)
    unbuffered = "stdbuf -o0 tr" if shutil.which("stdbuf") else "tr -u"
    (directory / "git").write_text(text.replace("{faults}", cases.replace("{tr}", unbuffered)))
    (directory / "git").chmod(0o755)
    return FakeGit(directory)


def verbs(questions: list[str]) -> Counter[str]:
    """Count calls by subcommand."""
    return Counter(question.partition(".")[0] for question in questions)
