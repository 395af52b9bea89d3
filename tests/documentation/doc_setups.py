"""Prepared places, as scripts: what a reader of a block has before it."""

from __future__ import annotations

#: A healthy project: nothing tracked that should not be, caches on disk, a remote to push to.
PROJECT = """
git init --quiet --bare origin.git
git init --quiet project
cd project
mkdir -p pkg src tests/data tools
echo 'x = 1' > pkg/a.py
touch pkg/__init__.py src/b.py tests/c.py mytool.py
touch -d '2026-11-01 09:30:00 UTC' pkg/a.py
printf '#!/usr/bin/env python3\\n' > tools/run
chmod +x tools/run
printf '%s\\n' __pycache__/ '*.py[co]' > .gitignore
printf '%s\\n' '**/__pycache__' '**/*.py[co]' > .dockerignore
git add .
git commit --quiet --message start
git tag v1.0
git remote add origin ../origin.git
git push --quiet --set-upstream origin main
python3 -m compileall -q pkg src tests
"""

#: The same, and git itself refuses bytecode.
GUARDED = f"""{PROJECT}
printf '#!/bin/sh\\nexec pycache-guard forbid-bytecode\\n' > .git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
"""

#: A project that has the problem.
PROBLEM = """
git init --quiet project
cd project
mkdir pkg
echo 'x = 1' > pkg/m.py
python3 -m compileall -q pkg
git add .
git commit --quiet --message start
"""

#: A clone in which Python has rewritten a tracked cache that another person has untracked.
UNTRACKED_BY_OTHERS = f"""{PROBLEM}
cd ..
git clone --quiet project clone
git -C project rm -r --quiet --cached pkg/__pycache__
git -C project commit --quiet --message untrack
cd clone
for file in pkg/__pycache__/*; do echo changed >> "$file"; done
! git pull --quiet 2> /dev/null
"""

#: The same, with the name of a cache of Python 3.13.
TRACKED_CACHE = f"""{PROBLEM}
[ -e pkg/__pycache__/m.cpython-313.pyc ] || mv pkg/__pycache__/m.*.pyc pkg/__pycache__/m.cpython-313.pyc
git add .
git commit --quiet --amend --no-edit
"""

#: Bytecode under another name, staged.
LOGO = f"""{PROJECT}
python3 -c "import py_compile; py_compile.compile('pkg/a.py', 'logo.png')"
git add logo.png
"""

#: Fixtures that are allowed by hand.
FIXTURES = f"""{PROJECT}
python3 -c "import py_compile; py_compile.compile('pkg/a.py', 'tests/data/a.pyc')"
git add --force tests/data
git commit --quiet --message fixtures
git tag --force v1.0 HEAD~1 > /dev/null
"""

#: No rules at all.
UNIGNORED = f"""{PROJECT}
git rm --quiet --force .gitignore .dockerignore
printf 'FROM scratch\\nCOPY . .\\n' > Dockerfile
git add Dockerfile
git commit --quiet --message careless
"""

#: A source that has gone with its branch, and what it leaves.
ORPHAN = f"""{PROJECT}
mkdir old && touch old/__init__.py && python3 -m compileall -q old && rm old/__init__.py
"""

#: A branch in a clone whose `main` is only on the remote.
BRANCH = f"""{PROJECT}
git switch --quiet --create feature
echo 'y = 2' > pkg/b.py
git add pkg
git commit --quiet --message more
git branch --quiet -D main
"""

#: A server, before its hook; beside it a clone with bytecode to push.
SERVER = f"""{PROJECT}
git clone --quiet ../origin.git ../clone
cd ../clone
touch pkg/m.py
python3 -c "import py_compile; py_compile.compile('pkg/m.py', 'pkg/m.pyc')"
git add --force pkg
git commit --quiet --message careless
cd ../origin.git
mkdir -p hooks
"""

#: The same with the hook, seen from the clone.
PUSHER = f"""{SERVER}
printf '#!/bin/sh\\nexec pycache-guard pre-receive\\n' > hooks/pre-receive
chmod +x hooks/pre-receive
cd ../clone
"""

#: What was made of another source, of the same size and time, to plant.
EVIL = """
mkdir -p project/evil project/__pycache__
cd project
echo 'x = 1' > a.py
echo 'x = 2' > evil/a.py
touch -d '2026-11-01 09:30:00 UTC' a.py evil/a.py
python3 -m compileall -q evil
"""

#: With something to build, by a stand-in for `build` that needs no network: the backend itself.
BUILDABLE = f"""{PROJECT}
cat > pyproject.toml <<'END'
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "pkg"
version = "1"
END
mkdir "$BENCH/build"
echo 'import subprocess; raise SystemExit(subprocess.call(["hatchling", "build"]))' \
    > "$BENCH/build/__main__.py"
"""

#: A directory that is shipped with its bytecode.
BUNDLE = """
mkdir -p build/pkg
echo 'x = 1' > build/pkg/a.py
touch build/pkg/__init__.py
python3 -m compileall -q build
"""

#: An application of one file.
APP = """
mkdir app
echo 'print(1)' > app/__main__.py
"""

#: A server of Gitea: its hook runs every file of a directory with the same ref lines.
GITEA = f"""{SERVER}
mkdir -p hooks/pre-receive.d
cat > hooks/pre-receive <<'END'
#!/bin/sh
data=$(cat)
for hook in hooks/pre-receive.d/*; do
    printf '%s\\n' "$data" | "$hook" || exit 1
done
END
chmod +x hooks/pre-receive
"""

#: A package of npm with a cache in it, packed.
PACKED = f"""{PROJECT}
mkdir package && cp -r pkg package
tar czf mypackage-1.0.0.tgz package
"""

#: Several clones, one with bytecode.
CLONES = f"""{PROBLEM}
cd ..
mkdir clones && mv project clones/bad && cd clones
git clone --quiet bad good
(cd good && git rm -r --quiet --cached pkg/__pycache__ && git commit --quiet --message fixed)
"""
