"""What is done with each `sh` and `console` block that stands for itself: where, and what comes."""

from __future__ import annotations

from typing import NamedTuple

from documentation import scenes


class Play(NamedTuple):
    """How a block is run. It is found by its page and what it begins with."""

    page: str
    begins: str
    scene: str
    #: What each command ends with; all with 0 if nothing is said.
    codes: tuple[int, ...] = ()
    #: Run afterwards where the block ended; must succeed: it shows that the block did what it is for.
    then: str = "true"


REFUSES_A_PUSH = """
cd ../clone
! git push origin main > out 2>&1
grep 'pkg/m.pyc: PYC001' out
git reset --quiet --hard HEAD~1
echo >> pkg/a.py
git commit --quiet --all --message careful
git push --quiet origin main
"""

PUSHES_ITSELF = """
touch pkg/m.pyc
git add --force pkg/m.pyc
git commit --quiet --message careless
! git push origin main > out 2>&1
grep 'pkg/m.pyc: PYC001' out
git rm --quiet --force pkg/m.pyc
git commit --quiet --amend --message careful --allow-empty
git push --quiet origin main
"""

CONFIGURED = f"""{scenes.PROJECT}
printf 'repos:\\n- repo: https://github.com/pycache-guard/pycache-guard\\n  rev: v0.1.0\\n  hooks:\\n' \\
    > .pre-commit-config.yaml
printf '  - id: forbid-bytecode\\n  - id: check-gitignore\\n' >> .pre-commit-config.yaml
git add .
"""

REFUSES_A_COMMIT = """
touch a.pyc
git add --force a.pyc
! git commit --message careless > out 2>&1
grep 'a.pyc: PYC001' out
"""

#: A clone that was set up: its interpreter is the one of the tests.
CLONE = """
git clone --quiet https://github.com/pycache-guard/pycache-guard clone
cd clone
mkdir -p .venv/bin
printf '#!/bin/sh\\nexec python3 "$@"\\n' > .venv/bin/python
chmod +x .venv/bin/python
"""

PLAYS = [
    Play("CONTRIBUTING.md", ".venv/bin/python tests/bytecode/ask_interpreters.py", CLONE),
    Play("README.md", "pre-commit install", CONFIGURED, then=REFUSES_A_COMMIT),
    Play("README.md", "$ pycache-guard fix", scenes.PROBLEM),
    Play("README.md", "printf", scenes.SERVER, then=REFUSES_A_PUSH),
    Play("docs/ci.md", "git fetch --quiet origin main", scenes.BRANCH),
    Play("docs/clean.md", "pycache-guard clean", scenes.PROJECT, then="test ! -e pkg/__pycache__"),
    Play("docs/commands.md", "pycache-guard forbid-bytecode", scenes.FIXTURES, (1, 0, 0, 1, 0)),
    Play("docs/commands.md", "pycache-guard check-gitignore", scenes.PROJECT),
    Play("docs/commands.md", "pycache-guard fix --dry-run", scenes.PROBLEM, (1,)),
    Play("docs/dist.md", "python -m build && pycache-guard check-dist dist/*", scenes.BUILDABLE),
    Play("docs/doctor.md", "pycache-guard doctor", f"{scenes.GUARDED}\nmv pkg yourpackage"),
    Play(
        "docs/history.md",
        "printf '#!/bin/sh\\nexec pycache-guard pre-push",
        scenes.PROJECT,
        then=PUSHES_ITSELF,
    ),
    Play(
        "docs/inspect.md",
        "$ pycache-guard inspect pkg/__pycache__/a.*.pyc",
        f"{scenes.PROJECT}\nrm -r pkg/__pycache__\npython3 -c 'import pkg.a'",
    ),
    Play("docs/lint.md", "pycache-guard lint", scenes.PROJECT),
    Play("docs/server.md", "printf", scenes.SERVER, then=REFUSES_A_PUSH),
    Play("docs/server.md", "$ git push origin main", scenes.PUSHER),
    Play("docs/verify.md", "pycache-guard verify-bytecode", scenes.PROJECT),
    Play("docs/rules/PYC001.md", "git rm -r -f --cached", scenes.PROBLEM, (0, 1)),
    Play("docs/rules/PYC002.md", "git rm", scenes.LOGO, then="pycache-guard forbid-bytecode"),
    Play("docs/rules/PYC003.md", "git ls-files -s", scenes.FIXTURES),
    Play(
        "docs/rules/PYC101.md",
        "pycache-guard check-gitignore --fix",
        scenes.UNIGNORED,
        (1, 0),
        "pycache-guard check-gitignore",
    ),
    Play(
        "docs/rules/PYC202.md",
        "# a.py is innocent",
        scenes.EVIL,
        then="pycache-guard verify-bytecode __pycache__ | grep PYC202",
    ),
    Play(
        "docs/rules/PYC203.md",
        "python3.13 -m compileall",
        scenes.PROJECT,
        then="pycache-guard inspect pkg/__pycache__/a.*.pyc | grep 'of the source, checked'",
    ),
    Play(
        "docs/rules/PYC301.md",
        "pycache-guard check-dockerignore --fix",
        scenes.UNIGNORED,
        (1,),
        "git add .dockerignore && pycache-guard check-dockerignore",
    ),
    Play(
        "docs/rules/PYC421.md",
        "PYTHONDONTWRITEBYTECODE=1",
        f"{scenes.PROJECT}\necho 'import pkg.z' > mytool.py && touch pkg/z.py",
        then="test -z \"$(find . -name 'z.*.pyc')\"",
    ),
    Play(
        "docs/rules/PYC432.md",
        "python -B -m mytool",
        scenes.PROJECT,
        then="test ! -e pkg/__pycache__",
    ),
    Play(
        "docs/rules/PYC602.md",
        "export PYTHONPYCACHEPREFIX=.cache",
        scenes.GUARDED,
        then="pycache-guard doctor | grep PYC602",
    ),
    Play(
        "docs/rules/PYC602.md",
        "export PYTHONPYCACHEPREFIX=~/.cache/pycache",
        scenes.GUARDED,
        then="pycache-guard doctor",
    ),
    Play(
        "docs/rules/PYC603.md",
        "pycache-guard clean --orphans",
        scenes.ORPHAN,
        then="test ! -e old",
    ),
    Play(
        "docs/rules/PYC604.md",
        "git clone --quiet",
        "true",
        then="pycache-guard doctor | grep PYC604",
    ),
    Play("docs/rules/PYC604.md", "pre-commit install", CONFIGURED, then=REFUSES_A_COMMIT),
]

#: Read from top to bottom, each block where the one before it ended: `test_stories.py`.
STORIES = ["docs/bytecode.md", "docs/migrating.md", "docs/alternatives.md"]

#: Run elsewhere, or not at all, and why.
APART = {
    ("README.md", 'python3 -m venv "${GUARD:=.}/.venv"'): "test_installations.py",
    ("README.md", "python3 -m pip install git+https"): "test_installations.py",
    ("docs/lint.md", 'python3 -m pip install "pycache-guard[flake8]'): "test_installations.py",
    ("README.md", "python3 -m venv .venv"): "it runs this very test: CI begins with it",
    ("CONTRIBUTING.md", "python3 -m venv .venv"): "the same",
    ("CONTRIBUTING.md", ".venv/bin/python -m fuzz"): "takes its ten minutes; tests/test_fuzz.py",
    (
        "CONTRIBUTING.md",
        ".venv/bin/python -m scripts.release",
    ): "runs this suite; tests/test_release.py",
    ("docs/history.md", "clone=$(mktemp -d)"): "another program; its words are compared with ours",
    ("docs/history.md", "#!/bin/sh"): "a hook and no command: test_push_hook_of_several_parts",
    ("docs/server.md", "#!/bin/sh"): "a hook and no command: test_hook_of_several_parts",
    ("docs/rules/PYC501.md", "$ docker run"): "there need be no Docker here",
    ("docs/rules/PYC601.md", "docker run"): "there need be no Docker here",
}
