"""Damaged archives, as many as wanted: `python -m benchmarks.damage [COUNT [SEED]]`.

Each must end in a verdict; a crash is shown with the seed that leads there.
"""

from __future__ import annotations

import io
import random
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from pycache_guard.distributions.comparison import Comparison
from pycache_guard.distributions.screening import screened

SOURCES = {f"package/module_{n}.py": b"x = %d\n" % n for n in range(20)}
CACHES = {f"package/__pycache__/module_{n}.cpython-311.pyc": bytes(64) for n in range(20)}
META = {
    "demo-1.dist-info/WHEEL": b"Generator: hatchling 1\n",
    "demo-1.dist-info/RECORD": b"package/a.pyc,,\n",
    "demo-1/pyproject.toml": b"[build-system]\n",
}


def archives() -> dict[str, bytes]:
    """Return an archive of each format, with every sort of member that is looked into."""
    found = {}
    members = {**SOURCES, **CACHES, **META}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", method) as file:
            for name, content in members.items():
                file.writestr(name, content)
        found[f"{method}.zip"] = data.getvalue()
    members["inner.zip"] = found["8.zip"]
    for kind in ("", "gz", "bz2", "xz"):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode=f"w:{kind}") as file:  # type: ignore[call-overload]
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
        found[f"a.tar.{kind}".rstrip(".")] = data.getvalue()
    return found


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Flip some bits, overwrite some bytes, or cut off the end."""
    broken = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 8, 64))):
        at = chance.randrange(len(broken))
        broken[at] = chance.choice((broken[at] ^ 1 << chance.randrange(8), 0, 255))
    return bytes(broken[: chance.randrange(len(broken))] if chance.random() < 0.3 else broken)


def main(count: int = 1000, seed: int = 0) -> int:
    """Judge `count` archives; return 1 at the first crash."""
    whole = archives()
    comparison = Comparison()
    verdicts = {"bytecode": 0, "not judged": 0, "nothing": 0}
    with tempfile.TemporaryDirectory(prefix="pycache-guard-benchmarks-") as directory:
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            name = chance.choice(sorted(whole))
            path = Path(directory) / name
            path.write_bytes(damaged(whole[name], chance))
            try:
                found, failures = screened(str(path), comparison)
            except Exception:
                print(f"crash: seed {seed}, archive {number}, {name}")
                raise
            verdicts["not judged" if failures else "bytecode" if found else "nothing"] += 1
    comparison.close()
    print(", ".join(f"{name}: {number}" for name, number in verdicts.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
