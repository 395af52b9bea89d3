"""What is done with each `sh` and `console` block that stands for itself: where, and what comes."""

from __future__ import annotations

from typing import NamedTuple

from documentation import doc_setups


class DocCase(NamedTuple):
    """How a block is run. It is found by its page and what it begins with."""

    page: str
    begins: str
    setup: str
    #: What each command ends with; all with 0 if nothing is said.
    codes: tuple[int, ...] = ()
    #: Run afterwards where the block ended; must succeed: it shows that the block did what it is for.
    check: str = "true"


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

CONFIGURED = f"""{doc_setups.PROJECT}
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

CASES = [
    DocCase(
        "CONTRIBUTING.md", ".venv/bin/python tests/bytecode/check_interpreter_tables.py", CLONE
    ),
    DocCase("README.md", "pre-commit install", CONFIGURED, check=REFUSES_A_COMMIT),
    DocCase("README.md", "$ pycache-guard forbid-bytecode", doc_setups.PROJECT),
    DocCase("README.md", "$ pycache-guard fix", doc_setups.PROBLEM),
    DocCase("docs/ci.md", "git fetch --quiet origin main", doc_setups.BRANCH),
    DocCase("docs/ci.md", "pycache-guard ci --range origin/main..HEAD", doc_setups.BRANCH),
    DocCase(
        "docs/clean.md",
        "pycache-guard clean",
        doc_setups.PROJECT,
        check="test ! -e pkg/__pycache__",
    ),
    DocCase(
        "docs/commands.md", "pycache-guard forbid-bytecode", doc_setups.FIXTURES, (1, 0, 0, 1, 0)
    ),
    DocCase("docs/commands.md", "pycache-guard check-gitignore", doc_setups.PROJECT),
    DocCase("docs/commands.md", 'for file in "$VIRTUAL_ENV"', doc_setups.PROJECT),
    DocCase("docs/commands.md", "pycache-guard fix --dry-run", doc_setups.PROBLEM, (1,)),
    DocCase("docs/commands.md", "pycache-guard explain PYC001", doc_setups.PROJECT),
    DocCase(
        "docs/dist.md", "python -m build && pycache-guard check-dist dist/*", doc_setups.BUILDABLE
    ),
    DocCase("docs/bundle.md", "pycache-guard check-bundle build/", doc_setups.BUNDLE),
    DocCase(
        "docs/bundle.md",
        "pycache-guard check-bundle build --fix",
        doc_setups.BUNDLE,
        (1,),
        "pycache-guard check-bundle build --expect unchecked-hash",
    ),
    DocCase(
        "docs/bundle.md",
        "pycache-guard check-bundle --fix --expect unchecked-hash --destination /var/task",
        f"{doc_setups.BUNDLE}\nmkdir -p .aws-sam/build && mv build .aws-sam/build/App",
        (1,),
        "(cd .aws-sam/build/App && python3 -m zipfile -c ../App.zip .)\n"
        "pycache-guard check-bundle .aws-sam/build/App.zip --expect unchecked-hash",
    ),
    DocCase("docs/bundle.md", "python3 -m compileall -q -b -f", doc_setups.APP),
    DocCase("docs/doctor.md", "pycache-guard doctor", f"{doc_setups.GUARDED}\nmv pkg yourpackage"),
    DocCase(
        "docs/history.md",
        "(set -C; printf '#!/bin/sh\\nexec pycache-guard pre-push",
        doc_setups.PROJECT,
        check=PUSHES_ITSELF,
    ),
    DocCase(
        "docs/inspect.md",
        "$ pycache-guard inspect pkg/__pycache__/a.*.pyc",
        f"{doc_setups.PROJECT}\nrm -r pkg/__pycache__\npython3 -c 'import pkg.a'",
    ),
    DocCase("docs/inspect.md", "pycache-guard inspect --leaks", doc_setups.TRACKED_CACHE),
    DocCase(
        "docs/inspect.md",
        "pycache-guard inspect --strings",
        doc_setups.TRACKED_CACHE,
        check="grep -x m strings.txt || grep -x x strings.txt",
    ),
    DocCase("docs/inspect.md", "pycache-guard inspect --diff", doc_setups.TRACKED_CACHE),
    DocCase(
        "docs/inspect.md",
        "git config diff.pycache-guard.textconv",
        doc_setups.TRACKED_CACHE,
        (0, 0),
        "git show | grep '^+  constant 1'",
    ),
    DocCase("docs/lint.md", "pycache-guard lint", doc_setups.PROJECT),
    DocCase(
        "docs/recipes.md",
        "pycache-guard verify-bytecode ansible_collections",
        f"{doc_setups.PROJECT}\nmv pkg ansible_collections",
    ),
    DocCase("docs/recipes.md", "git archive", doc_setups.PROJECT),
    DocCase("docs/recipes.md", "pycache-guard check-dist mypackage", doc_setups.PACKED, (1,)),
    DocCase("docs/recipes.md", "(set -C; printf", doc_setups.GITEA, check=REFUSES_A_PUSH),
    DocCase(
        "docs/recipes.md",
        "mkdir ../audit",
        doc_setups.CLONES,
        (0, 123, 0),
        'python3 -c \'import json; r = json.load(open("../audit.json")); '
        'assert [len(r[n]["findings"]) for n in ("bad", "good")] == [1, 0]\'',
    ),
    DocCase("docs/server.md", "(set -C; printf", doc_setups.SERVER, check=REFUSES_A_PUSH),
    DocCase("docs/server.md", "$ git push origin main", doc_setups.PUSHER),
    DocCase("docs/verify.md", "pycache-guard verify-bytecode", doc_setups.PROJECT),
    DocCase("docs/rules/PYC001.md", "git rm -r -f --cached", doc_setups.PROBLEM, (0, 0)),
    DocCase(
        "docs/rules/PYC002.md", "git rm", doc_setups.LOGO, check="pycache-guard forbid-bytecode"
    ),
    DocCase("docs/rules/PYC003.md", "git ls-files -s", doc_setups.FIXTURES),
    DocCase(
        "docs/rules/PYC101.md",
        "pycache-guard check-gitignore --fix",
        doc_setups.UNIGNORED,
        (1, 0),
        "pycache-guard check-gitignore",
    ),
    DocCase(
        "docs/rules/PYC202.md",
        "# a.py is innocent",
        doc_setups.EVIL,
        check="pycache-guard verify-bytecode __pycache__ | grep PYC202",
    ),
    DocCase(
        "docs/rules/PYC203.md",
        "python3.13 -m compileall",
        doc_setups.PROJECT,
        check="pycache-guard inspect pkg/__pycache__/a.*.pyc | grep 'of the source, checked'",
    ),
    DocCase(
        "docs/rules/PYC301.md",
        "pycache-guard check-dockerignore --fix",
        doc_setups.UNIGNORED,
        (1,),
        "git add .dockerignore && pycache-guard check-dockerignore",
    ),
    DocCase(
        "docs/rules/PYC421.md",
        "PYTHONDONTWRITEBYTECODE=1",
        f"{doc_setups.PROJECT}\necho 'import pkg.z' > mytool.py && touch pkg/z.py",
        check="test -z \"$(find . -name 'z.*.pyc')\"",
    ),
    DocCase(
        "docs/rules/PYC432.md",
        "python -B -m mytool",
        doc_setups.PROJECT,
        check="test ! -e pkg/__pycache__",
    ),
    DocCase(
        "docs/rules/PYC602.md",
        "export PYTHONPYCACHEPREFIX=.cache",
        doc_setups.GUARDED,
        check="pycache-guard doctor | grep PYC602",
    ),
    DocCase(
        "docs/rules/PYC602.md",
        "export PYTHONPYCACHEPREFIX=~/.cache/pycache",
        doc_setups.GUARDED,
        check="pycache-guard doctor",
    ),
    DocCase(
        "docs/rules/PYC603.md",
        "pycache-guard clean --orphans",
        doc_setups.ORPHAN,
        check="test ! -e old",
    ),
    DocCase(
        "docs/rules/PYC604.md",
        "git clone --quiet",
        "true",
        check="pycache-guard doctor | grep PYC604",
    ),
    DocCase("docs/rules/PYC604.md", "pre-commit install", CONFIGURED, check=REFUSES_A_COMMIT),
    DocCase(
        "docs/troubleshooting.md",
        "git restore",
        doc_setups.UNTRACKED_BY_OTHERS,
        check="test ! -e pkg/__pycache__",
    ),
]

#: Read from top to bottom, each block where the one before it ended: `test_stories.py`.
SEQUENTIAL_PAGES = ["docs/bytecode.md", "docs/migrating.md", "docs/alternatives.md"]

#: Run elsewhere, or not at all, and why.
EXCLUDED = {
    ("README.md", 'python3 -m venv "${GUARD:=.}/.venv"'): "test_installations.py",
    ("README.md", "python3 -m pip install git+https"): "test_installations.py",
    ("README.md", "pycache-guard ci"): "needs a CI system: tests/ci/test_runs.py",
    ("docs/ci.md", "pycache-guard ci  #"): "the same",
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
