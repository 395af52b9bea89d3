"""The cost of adopting a hook: from an empty cache to the first result, and the installed size.

The peers are what their projects published: the newest sdist, as a repository with a manifest of one
hook, because an sdist has none. All are fetched by pre-commit from `file://` addresses, so that what is
compared is what there is to fetch, build and install; the network adds the same to each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.measure import ROOT, figure
from benchmarks.repositories import IDENTITY, git, repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Figure

PEERS = ("pre-commit",)

ROUNDS = 3
#: For figures without a target.
NO_TARGET = float("inf")

MANIFEST = """\
- id: {hook}
  name: {hook}
  entry: {entry}
  language: python
  always_run: true
  pass_filenames: false
"""
CONFIGURATION = """\
repos:
- repo: file://{repository}
  rev: {revision}
  hooks:
  - id: {hook}
"""
#: Distribution, hook, entry.
PUBLISHED = (
    ("pre-commit-hooks", "end-of-file-fixer", "end-of-file-fixer a.txt"),
    ("pyclean", "pyclean", "pyclean --quiet ."),
)


class Adopted(NamedTuple):
    """Time and size of one adoption."""

    seconds: float
    #: Size of the cache afterwards.
    megabytes: float


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Adopt each in turns."""
    ours = work / "adopted"
    git(work, "clone", "-q", "--no-local", str(ROOT), str(ours))
    sources = {"pycache-guard": (ours, "forbid-bytecode"), "fail": (ours, "forbid-bytecode-paths")}
    for distribution, hook, entry in PUBLISHED:
        sources[distribution] = (published(scripts, work, distribution, hook, entry), hook)
    rounds = [
        {name: adopt(scripts, work, *source) for name, source in sources.items()}
        for _ in range(ROUNDS)
    ]
    peers = [(name, "pycache-guard", f"{name}: {hook}") for name, hook, _ in PUBLISHED]
    for peer, mine, shown in (*peers, ("pycache-guard", "fail", "forbid-bytecode")):
        start = "forbid-bytecode-paths" if mine == "fail" else "forbid-bytecode"
        taken = [(r[mine].seconds, r[peer].seconds) for r in rounds]
        yield figure(f"{start}: install, first verdict", shown, taken, NO_TARGET)
        sizes = [(r[mine].megabytes, r[peer].megabytes) for r in rounds]
        yield figure(f"{start}: size of the cache", shown, sizes, NO_TARGET, "MB")


def published(scripts: Path, work: Path, distribution: str, hook: str, entry: str) -> Path:
    """Return a repository of a distribution's newest sdist, with a manifest of one hook."""
    place = work / f"published-{distribution}"
    pip = (str(scripts / "python"), "-m", "pip", "download", "-qq", "--no-deps")
    subprocess.run([*pip, "--no-binary", ":all:", "-d", place, distribution], check=True)
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(place, filter="data")
    (source,) = (path for path in place.iterdir() if path.is_dir())
    manifest = MANIFEST.format(hook=hook, entry=entry)
    (source / ".pre-commit-hooks.yaml").write_text(manifest, encoding="utf-8")
    git(source, "init", "-q", "-b", "main")
    git(source, "add", "-A", "-f")
    git(source, *IDENTITY, "commit", "-q", "-m", "as published")
    return source


def adopt(scripts: Path, work: Path, source: Path, hook: str) -> Adopted:
    """Install the hook with empty caches of pre-commit and pip, and run it."""
    project, home = work / "project", work / "home"
    configuration = CONFIGURATION.format(
        repository=source, revision=git(source, "rev-parse", "HEAD"), hook=hook
    )
    files = {"a.txt": "a\n", ".pre-commit-config.yaml": configuration}
    repository(project, b"", files)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(home), "PIP_CACHE_DIR": str(work / "pip")}
    start = time.perf_counter()
    for arguments in (["install-hooks"], ["run", "--all-files"]):
        done = subprocess.run(
            [str(scripts / "pre-commit"), *arguments],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"pre-commit {arguments[0]}: {done.stdout}{done.stderr}")
    seconds = time.perf_counter() - start
    adopted = Adopted(seconds, size(home) / 1e6)
    for made in (project, home, work / "pip"):
        shutil.rmtree(made, ignore_errors=True)
    return adopted


def size(directory: Path) -> int:
    """Return the total size of the files below in bytes."""
    found = (path.lstat() for path in directory.rglob("*") if not path.is_dir())
    return sum(status.st_size for status in found)
