"""Find out which bytecode below a directory git tracks, or once checked out, whichever repository it is in.

`clean` asks, and never removes a tracked file. Git searches the parent directories if it cannot read a
`.git` (`setup_git_directory` in git's `setup.c`), and then answers for another repository: every answer
is compared with the `.git` that is on disk.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
from itertools import pairwise

from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.fs.vcs import find_mark, resolve_mark
from pycache_guard.git.external_repositories import find_stores
from pycache_guard.git.listing import iter_blocks, iter_entry_blocks
from pycache_guard.git.process import Git, GitFailure, environment, git_output, parsing_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence


#: Maximum number of entries of the reflog of HEAD that are read, the newest first.
MAX_REFLOG_ENTRIES = 200
#: The mode of a submodule in the raw format (git-diff-tree(1)).
SUBMODULE = b"160000"


def paths_ever_checked_out(directory: str, paths: Sequence[str]) -> set[str]:
    """Return those of `paths`, relative to `directory`, that were files of a commit checked out here.

    The commits are those in the reflog of HEAD (git-reflog(1)). Without a reflog, the set is empty.
    """
    asked = {os.fsencode(path): path for path in paths}
    found: set[str] = set()
    names = _names_in_reflog(directory)
    try:
        for name in names:
            path = asked.pop(name, None)
            if path is not None:
                found.add(path)
                if not asked:
                    break
    except GitFailure:
        # Not a repository, nothing committed yet, or a partial clone without these trees. What was
        # read before that is right.
        pass
    finally:
        names.close()
    return found


def _names_in_reflog(directory: str) -> Generator[bytes, None, None]:
    """Yield the files below `directory` of every commit in the reflog, as paths relative to it.

    These are the files of the newest commit, and the files that differ between neighbours. Git reads
    only directories that differ, so 200 commits cost little more than one.
    """
    log = Git(
        *(
            "-C",
            directory,
            "rev-list",
            "--walk-reflogs",
            f"--max-count={MAX_REFLOG_ENTRIES}",
            "HEAD",
        ),
        env=environment_without_repository(),
    ).output()
    with parsing_output("rev-list"):
        commits = [*dict.fromkeys(log.decode("ascii").split())]
        first = commits[0]
    listing = Git(
        "-C", directory, "ls-tree", "-r", "-z", first, env=environment_without_repository()
    )
    try:
        for block in iter_blocks(listing):
            for record in block.split(b"\0")[:-1]:
                head, _, path = record.partition(b"\t")
                if not head.startswith(SUBMODULE):
                    yield path
    finally:
        listing.kill()
    from pycache_guard.git.tempdir import open_unnamed_file

    with open_unnamed_file() as file:
        pairs = pairwise(commits)
        file.write("".join(f"{one} {other}\n" for one, other in pairs).encode("ascii"))
        file.seek(0)
        comparing = Git(
            *("-C", directory, "diff-tree", "--stdin", "-r", "--raw", "-z", "--relative"),
            *("--no-renames", "--no-commit-id", "--ignore-submodules=none"),
            stdin=file.fileno(),
            env=environment_without_repository(),
        )
        try:
            yield from _files_in_diff(comparing)
        finally:
            comparing.kill()


def _files_in_diff(comparing: Git) -> Iterator[bytes]:
    """Yield each path of a raw diff that is a file or a symbolic link on at least one side."""
    head = b""
    for block in iter_blocks(comparing):
        for word in block.split(b"\0")[:-1]:
            if not head:
                head = word
                continue
            # `:100644 000000 ID ID D`: the modes of both sides.
            if any(mode[:3] in (b"100", b"120") for mode in head.lstrip(b":").split(b" ")[:2]):
                yield word
            head = b""


#: Environment variables that choose the repository, the work tree or the index instead of the current
#: directory: those of `git rev-parse --local-env-vars` that are not settings.
REPOSITORY_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)
#: The mode in a listing of an index that was truncated: git does not verify the checksum of an index.
NULL_MODE = b"000000 "
#: Arguments that list every entry as a path from the top, in any current directory.
LISTING = ("ls-files", "--stage", "-z", "--full-name", "--", ":/")
#: The end of a message if git does not answer for a repository.
ADVICE = "repair it, or pass --include-tracked to remove caches without asking git"


def tracked_bytecode(directory: str, stores: Sequence[str] = ()) -> set[str]:
    """Return the tracked bytecode below `directory`, as paths relative to it; submodules end with `/`.

    Asks the repository of the directory, and the one that `GIT_DIR` or another variable names. Outside
    a repository, asks those that `find_stores` finds, and `stores`, the git directories below it.
    Returns the empty set if there is no repository. Raises `GitFailure` if there is one and git does
    not answer for it.
    """
    found: set[str] = set()
    mark = find_mark(directory)
    if mark is not None:
        found.update(_list_own(directory, mark))
    else:
        around = [*find_stores(directory), *map(os.path.realpath, stores)]
        for store in dict.fromkeys(around):
            try:
                found.update(_list_store(directory, store))
            except GitFailure as failure:
                if os.path.isdir(store):  # otherwise it was temporary and has been removed
                    raise GitFailure(f"{store}: {_without_verb(failure)}; {ADVICE}") from None
    if any(name in os.environ for name in REPOSITORY_VARIABLES):
        top = os.fsdecode(git_output("rev-parse", "--show-toplevel")[:-1])
        named = os.fsdecode(git_output("rev-parse", "--absolute-git-dir")[:-1])
        _require_index((), environment(), named, named)
        found.update(paths_below(directory, top, bytecode_and_submodules(Git(*LISTING))))
    return found


def _list_own(directory: str, mark: str) -> Iterator[str]:
    """Yield the bytecode below `directory` that the repository of the `.git` at `mark` tracks.

    Raises `GitFailure` if git answers for another repository, or if the index is missing.
    """
    own = environment_without_repository()
    # Both processes run at the same time; the answer of the first one is short.
    questions = ("--is-inside-work-tree", "--is-bare-repository", "--git-dir", "--show-cdup")
    asking = Git("-C", directory, "rev-parse", *questions, env=own)
    listing = Git("-C", directory, *LISTING, env=own)
    try:
        answer = asking.output()
    except GitFailure as failure:
        listing.kill()
        raise GitFailure(f"{mark}: {_without_verb(failure)}; {ADVICE}") from None
    with parsing_output("rev-parse"):
        is_inside, is_bare, rest = answer[:-1].split(b"\n", 2)
        # For a bare repository, git does not print `--show-cdup`.
        named, up = (rest, b"") if is_bare == b"true" else rest.rsplit(b"\n", 1)
    expected = resolve_mark(mark)
    answered = os.path.join(directory, os.fsdecode(named))
    if expected is None or not _is_same(expected, answered):
        listing.kill()
        where = os.path.abspath(answered)
        raise GitFailure(f"{mark}: is damaged: git uses {where} instead; {ADVICE}")
    tops = [os.path.join(directory, os.fsdecode(up))]
    if is_inside != b"true":
        # Bare, or its work tree is elsewhere (`core.bare`, `core.worktree`). These settings may be
        # damaged too, so the directory of the `.git` counts as well.
        tops.append(os.path.dirname(mark))
    if is_bare != b"true":
        _require_index(("-C", directory), own, answered, mark)
    paths = [*bytecode_and_submodules(listing)]
    for top in tops:
        yield from paths_below(directory, top, paths)


def _list_store(directory: str, store: str) -> Iterator[str]:
    """Yield the bytecode below `directory` that a repository without a work tree of its own tracks.

    If `core.worktree` is not set, the work tree may be any parent directory of the repository.
    """
    own = environment_without_repository()
    paths = [*bytecode_and_submodules(Git("--git-dir", store, *LISTING, env=own))]
    process = Git("--git-dir", store, "config", "--type=path", "--get", "core.worktree", env=own)
    named = os.fsdecode(b"".join(iter(process.read, b""))[:-1])
    process.wait(allowed=(0, 1))
    if named:
        tops = [os.path.join(store, named)]
    elif os.path.basename(store) == ".git":
        return  # its work tree is the directory of the `.git`, which does not contain `directory`
    else:
        tops = [*_directories_above(store)]
    _require_index(("--git-dir", store), own, store, store)
    for top in tops:
        yield from paths_below(directory, top, paths)


def _require_index(
    place: Sequence[str], env: Mapping[str, str], git_directory: str, name: str
) -> None:
    """Raise `GitFailure` if a repository has no index although something was checked out.

    Git lists nothing if the index is missing, and reports no error. `place` are the options that
    choose the repository; `name` is its name in the message.
    """
    index = env.get("GIT_INDEX_FILE") or os.path.join(git_directory, "index")
    if os.path.lexists(index):
        return
    process = Git(*place, "ls-tree", "--full-tree", "-z", "HEAD", env=env)
    listed = b"".join(iter(process.read, b""))
    # 128: HEAD is unborn, or its commit is missing.
    has_head = process.wait(allowed=(0, 128)) == 0
    if listed or (not has_head and _has_history(git_directory)):
        raise GitFailure(f"{name}: its index is missing; `git reset` restores it; {ADVICE}")


def _has_history(git_directory: str) -> bool:
    """Return whether a repository has a reflog of HEAD or an object, which a new one does not have."""
    log = os.path.join(git_directory, "logs", "HEAD")
    if os.path.isfile(log) and os.path.getsize(log):
        return True
    objects = os.path.join(git_directory, "objects")
    for name in ("", "pack"):
        place = os.path.join(objects, name)
        if os.path.isdir(place) and not {"info", "pack"}.issuperset(os.listdir(place)):
            return True
    return False


def paths_below(directory: str, top: str, paths: Iterable[bytes]) -> Iterator[str]:
    """Yield those of `paths`, relative to `top`, that are in `directory`, as paths relative to it.

    Directories are compared by identity (`os.path.samefile`), because a volume may ignore letter case
    or be mounted twice. Raises `GitFailure` if `directory` is in one of the submodules.
    """
    prefix = _parts_between(top, directory)
    if prefix is None:
        inner = _parts_between(directory, top)
        if inner is not None:
            yield from ("/".join((*inner, os.fsdecode(path))) for path in paths)
        return
    start = fold_path("/".join(prefix))
    for path in map(os.fsdecode, paths):
        parts = path.split("/", len(prefix))
        if path.endswith("/") and f"{start}/".startswith(fold_path(path)):
            raise GitFailure(f"{directory}: its submodule has no .git; {ADVICE}")
        if len(parts) > len(prefix) and fold_path("/".join(parts[:-1])) == start:
            yield parts[-1]


def _parts_between(top: str, directory: str) -> tuple[str, ...] | None:
    """Return the names that lead from `top` down to `directory`, None if it is not below `top`."""
    parts: list[str] = []
    here = os.path.realpath(directory)
    while not _is_same(here, top):
        here, name = os.path.split(here)
        if not name:
            return None
        parts.insert(0, name)
    return tuple(parts)


def _directories_above(path: str) -> Iterator[str]:
    while (above := os.path.dirname(path)) != path:
        path = above
        yield path


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _without_verb(failure: GitFailure) -> str:
    """Return the message of git without the command at its start."""
    return str(failure).removeprefix("git rev-parse: ").removeprefix("git ls-files: ")


def fold_path(path: str) -> str:
    """Return a form of `path` that is equal for all spellings that some file system treats as one.

    Letter case (NTFS, APFS, HFS+) and the normal form of accents (HFS+) are folded.
    """
    if path.isascii():
        return path.lower()
    import unicodedata

    return unicodedata.normalize("NFC", path).casefold()


def bytecode_and_submodules(listing: Git) -> Iterator[bytes]:
    """Yield the paths of bytecode and of submodules from a listing; those of submodules end with `/`.

    Raises `GitFailure` for a damaged index.
    """
    for block in iter_entry_blocks(listing):
        if block.startswith(NULL_MODE) or b"\0" + NULL_MODE in block:
            raise GitFailure("git ls-files: the index is damaged")
        if not may_contain_bytecode(block) and SUBMODULE not in block:
            continue
        for record in block.split(b"\0")[:-1]:
            path = record.partition(b"\t")[2]
            if record.startswith(SUBMODULE):
                yield path + b"/"
            elif is_bytecode_path(path):
                yield path


def is_in_work_tree(directory: str) -> bool:
    """Return whether a directory is in a work tree, as far as its parents show (`find_mark`)."""
    return find_mark(directory) is not None


def environment_without_repository() -> dict[str, str]:
    """Return an environment in which the current directory alone decides which repository git uses.

    Git searches beyond mount points, as `find_mark` does.
    """
    across = environment(GIT_DISCOVERY_ACROSS_FILESYSTEM="1")
    return {name: value for name, value in across.items() if name not in REPOSITORY_VARIABLES}
