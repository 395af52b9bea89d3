"""The steps of a release, which the workflows run too: `python -m scripts.release --help`.

    python -m scripts.release rehearse python3.10 python3.13

builds wheel and sdist, checks them with `check-dist`, and runs the tests against the wheel with each
interpreter. `check-tag vX.Y.Z` compares a tag with the version and the changelog.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Build tools, pinned so that a tag builds the same later.
BUILDER = ("build==1.6.1", "hatchling==1.33.0")


class Refused(Exception):
    """A reason that prevents the release."""


def version(root: Path = ROOT) -> str:
    """Return the version from the package."""
    text = (root / "hooks" / "pycache_guard" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise Refused("hooks/pycache_guard/__init__.py: there is no __version__")
    return found[1]


def pythons(root: Path = ROOT) -> list[str]:
    """Return the supported Python versions from the classifiers, as the workflows use them."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)


def check_tag(tag: str, day: str, root: Path = ROOT) -> None:
    """Raise `Refused` unless `tag` matches the version, and the changelog begins with it and `day`."""
    if tag != f"v{version(root)}":
        raise Refused(f"the tag is {tag}, the version {version(root)}")
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    wanted = f"{version(root)} ({day})"
    if not titles or titles[0] != wanted:
        found = titles[0] if titles else "nothing"
        raise Refused(f"CHANGELOG.md begins with `## {found}`, not with `## {wanted}`")


def notes(root: Path = ROOT) -> str:
    """Return the newest section of the changelog, without its title, with links that work anywhere.

    Raises `Refused` if that section is not about the version.
    """
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    title, _, section = (text.split("\n## ", 2)[1:] or [""])[0].partition("\n")
    if not title.startswith(f"{version(root)} "):
        raise Refused(f"CHANGELOG.md begins with `## {title}`, not with {version(root)}")
    address = f"https://github.com/pycache-guard/pycache-guard/blob/v{version(root)}/"
    return re.sub(r"\]\((?!\w+:)", f"]({address}", section).strip() + "\n"


def day_of_head() -> str:
    """Return the committer date of HEAD."""
    done = run("git", "log", "-1", "--format=%cs", stdout=subprocess.PIPE)
    return datetime.date.fromisoformat(done.stdout.decode().strip()).isoformat()


def build(into: Path) -> list[Path]:
    """Build the sdist, and the wheel from it, with the pinned builder; return both."""
    with tempfile.TemporaryDirectory() as directory:
        python = environment(Path(directory) / "builder", sys.executable, *BUILDER)
        run(python, "-m", "build", "--no-isolation", "--outdir", into, ROOT)
    built = sorted(into.iterdir())
    names = [f"pycache_guard-{version()}-py3-none-any.whl", f"pycache_guard-{version()}.tar.gz"]
    if [path.name for path in built] != names:
        raise Refused(f"built were {', '.join(path.name for path in built)}")
    return built


def check(built: list[Path]) -> None:
    """Check both files with the program in the wheel, and check the version it prints."""
    with tempfile.TemporaryDirectory() as directory:
        python = environment(Path(directory) / "bare", sys.executable, built[0])
        program = python.with_name("pycache-guard")
        printed = run(program, "--version", stdout=subprocess.PIPE).stdout.decode().strip()
        if printed != f"pycache-guard {version()}":
            raise Refused(f"the wheel prints the version {printed}")
        run(program, "check-dist", *built)


def test(wheel: Path, executable: str, arguments: list[str]) -> None:
    """Run the tests with an interpreter that has the wheel installed instead of this checkout.

    The quality gates are skipped: every commit has passed them.
    """
    with tempfile.TemporaryDirectory() as directory:
        python = environment(Path(directory) / "tested", executable, f"{wheel}[test]")
        where = run(python, "-c", WHERE, cwd=directory, stdout=subprocess.PIPE).stdout.decode()
        if os.path.realpath(directory) not in os.path.realpath(where):
            raise Refused(f"tested would be {where}, not the wheel")
        suite = ("-m", "pytest", "--quiet", "--no-cov", "--ignore=tests/test_quality_gates.py")
        run(python, *suite, *arguments, cwd=ROOT)


WHERE = "import pycache_guard; print(pycache_guard.__file__, end='')"


def environment(directory: Path, executable: str, *requirements: str | Path) -> Path:
    """Make a virtual environment with `requirements`; return its interpreter."""
    run(executable, "-m", "venv", directory)
    scripts = directory / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
    return python


def run(
    *command: str | Path, cwd: str | Path = ROOT, stdout: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command, which must succeed. Raises `Refused`."""
    done = subprocess.run(
        [os.fspath(word) for word in command], cwd=cwd, stdout=stdout, check=False
    )
    if done.returncode:
        raise Refused(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}")
    return done


def main(argv: list[str] | None = None) -> int:
    """Return 0 if the step succeeded."""
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("pythons", help="print the supported Python versions as JSON")
    steps.add_parser("check-tag", help="compare with version and changelog").add_argument("tag")
    steps.add_parser("notes", help="print the notes of the release, from the changelog")
    steps.add_parser("build", help="build and check wheel and sdist").add_argument("into")
    one = steps.add_parser("test", help="run the tests against a wheel with this Python")
    one.add_argument("wheel")
    whole = steps.add_parser("rehearse", help="build, check, and test with each Python")
    whole.add_argument("python", nargs="+")
    options, arguments = parser.parse_known_args(argv)
    if arguments and options.step not in ("test", "rehearse"):
        parser.error(f"unrecognized arguments: {' '.join(arguments)}")
    try:
        take(options, arguments)
    except Refused as why:
        print(f"error: {why}", file=sys.stderr)
        return 1
    return 0


def take(options: argparse.Namespace, arguments: list[str]) -> None:
    """Run one step. `arguments` are those of pytest."""
    if options.step == "pythons":
        print(json.dumps(pythons()))
    elif options.step == "check-tag":
        check_tag(options.tag, day_of_head())
    elif options.step == "notes":
        print(notes(), end="")
    elif options.step == "build":
        check(build(Path(options.into).resolve()))
    elif options.step == "test":
        test(Path(options.wheel).resolve(), sys.executable, arguments)
    else:
        with tempfile.TemporaryDirectory() as directory:
            built = build(Path(directory))
            check(built)
            for executable in options.python:
                print(f"== {executable}", flush=True)
                test(built[0], executable, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
