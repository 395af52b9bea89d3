"""pre-commit and prek, with hooks from a clone of this checkout."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pre_commit.clientlib import load_manifest

from helpers.repo import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helpers.repo import Repo

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
#: The hooks of the manifest, by id.
HOOKS = {str(hook["id"]): dict(hook) for hook in load_manifest(MANIFEST)}
SCRIPTS = Path(sysconfig.get_path("scripts"))


class Checkout(NamedTuple):
    """A repository that hooks are installed from."""

    path: Path
    revision: str


class Runner(NamedTuple):
    """A program that installs and runs hooks."""

    name: str
    environment: Mapping[str, str]
    checkout: Checkout

    def __call__(self, repo: Repo, *argv: str) -> Result:
        """Run it in a repository; return exit code, stdout and stderr."""
        return self._run([os.fspath(SCRIPTS / self.name), *argv], repo.path)

    def git(self, repo: Repo, *argv: str) -> Result:
        """Run git in a repository, with the environment of the runner."""
        return self._run(["git", *argv], repo.path)

    def shell(self, repo: Repo, command: str) -> Result:
        """Run a command line in a repository, with the environment of the runner."""
        return self._run(["bash", "-c", command], repo.path)

    def configure(self, repo: Repo, *hooks: str) -> None:
        """Stage a configuration with hooks of the checkout; a `hook --option` takes arguments."""
        lines = [f"repos:\n- repo: {self.checkout.path}\n  rev: {self.checkout.revision}\n  hooks:"]
        for hook in hooks:
            name, *args = hook.split()
            lines += [f"  - id: {name}", *[f"    args: [{', '.join(args)}]"] * bool(args)]
        repo.add(".pre-commit-config.yaml", "\n".join(lines) + "\n")

    def _run(self, command: list[str], cwd: Path) -> Result:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
