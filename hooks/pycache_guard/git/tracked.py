"""Paths that HEAD's reflog shows were once checked out here."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise

from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.names import may_contain_bytecode
from pycache_guard.fs.git_dir import find_mark
from pycache_guard.fs.git_dir import resolve_mark
from pycache_guard.git.enclosing import find_stores
from pycache_guard.git.listing import iter_blocks
from pycache_guard.git.listing import iter_entry_blocks
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import environment
from pycache_guard.git.process import git_output
from pycache_guard.git.process import parsing_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence


#: How many of the last entries of HEAD's reflog are looked at.
MAX_REFLOG_ENTRIES = 200
#: The mode of a submodule in the raw format (git-diff-tree(1)).
SUBMODULE = b"160000"


def paths_ever_checked_out(directory: str, paths: Sequence[str]) -> set[str]:
    """Return those of `paths`, from `directory`, that were files of a commit checked out here.

    HEAD's reflog knows the commits (git-reflog(1)); without a reflog, nothing was checked out.
    """
    asked = {os.fsencode(path): path for path in paths}
    found: set[str] = set()
    names = _names(directory)
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


def _names(directory: str) -> Generator[bytes, None, None]:
    """Yield the files of the commits in the reflog below a directory, as paths from there.

    Those are the files of one commit, and what differs from each to the next: git compares only
    directories that differ, so that two hundred commits cost little more than one.
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
    with tempfile.TemporaryFile() as file:
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
            yield from _sides(comparing)
        finally:
            comparing.kill()


def _sides(comparing: Git) -> Iterator[bytes]:
    """Yield each path of a raw comparison that is a file on one of its sides."""
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


#: What says which repository, work tree and index are meant, instead of where one stands: those of
#: `git rev-parse --local-env-vars` that are no settings.
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
#: Git does not look at an index's checksum: of one that was cut off it lists the rest like this.
NULL_MODE = b"000000 "
#: List every entry as a path from the top, wherever the process stands.
LISTING = ("ls-files", "--stage", "-z", "--full-name", "--", ":/")
#: What helps where git does not answer for a repository.
ADVICE = "repair it, or pass --include-tracked to remove caches without asking git"


def tracked_bytecode(directory: str, stores: Sequence[str] = ()) -> set[str]:
    """Return the tracked bytecode below `directory`, as paths from there; submodules end with `/`.

    Asks the directory's own repository, and the one that `GIT_DIR` or another variable names.
    Outside a repository, it asks the bare ones around the directory that have an index
    (`find_stores`), and `stores`, the git directories below it. Returns the empty set if there is
    none of them. Raises `GitFailure` where there is a repository and git does not answer for it.
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
                if os.path.isdir(store):  # otherwise it was somebody's temporary one, and is gone
                    raise GitFailure(f"{store}: {_without_verb(failure)}; {ADVICE}") from None
    if any(name in os.environ for name in REPOSITORY_VARIABLES):
        top = os.fsdecode(git_output("rev-parse", "--show-toplevel")[:-1])
        named = os.fsdecode(git_output("rev-parse", "--absolute-git-dir")[:-1])
        _require_index((), environment(), named, named)
        found.update(paths_below(directory, top, bytecode_and_submodules(Git(*LISTING))))
    return found


def _list_own(directory: str, mark: str) -> Iterator[str]:
    """Yield what the repository of a `.git` tracks below `directory`.

    Raises `GitFailure` if git answers for another repository, or if the index is missing.
    """
    own = environment_without_repository()
    # Both processes run at the same time: the first one's answer is short.
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
        # Of a bare repository git prints no way up.
        named, up = (rest, b"") if is_bare == b"true" else rest.rsplit(b"\n", 1)
    expected = resolve_mark(mark)
    answered = os.path.join(directory, os.fsdecode(named))
    if expected is None or not _is_same(expected, answered):
        listing.kill()
        where = os.path.abspath(answered)
        raise GitFailure(f"{mark}: is damaged: git uses {where} instead; {ADVICE}")
    tops = [os.path.join(directory, os.fsdecode(up))]
    if is_inside != b"true":
        # Bare, or its work tree is elsewhere (`core.bare`, `core.worktree`). Those settings may be
        # damaged too, so that what is around the `.git` counts as well.
        tops.append(os.path.dirname(mark))
    if is_bare != b"true":
        _require_index(("-C", directory), own, answered, mark)
    paths = [*bytecode_and_submodules(listing)]
    for top in tops:
        yield from paths_below(directory, top, paths)


def _list_store(directory: str, store: str) -> Iterator[str]:
    """Yield what a bare repository tracks below `directory`.

    Where it does not name a work tree, that may be any directory around it.
    """
    own = environment_without_repository()
    paths = [*bytecode_and_submodules(Git("--git-dir", store, *LISTING, env=own))]
    process = Git("--git-dir", store, "config", "--type=path", "--get", "core.worktree", env=own)
    named = os.fsdecode(b"".join(iter(process.read, b""))[:-1])
    process.wait(allowed=(0, 1))
    if named:
        tops = [os.path.join(store, named)]
    elif os.path.basename(store) == ".git":
        return  # its work tree is beside it, and `directory` is not in there
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
    choose the repository, `name` is how the message calls it.
    """
    index = env.get("GIT_INDEX_FILE") or os.path.join(git_directory, "index")
    if os.path.lexists(index):
        return
    process = Git(*place, "ls-tree", "--full-tree", "-z", "HEAD", env=env)
    listed = b"".join(iter(process.read, b""))
    # 128: HEAD is unborn, or what it names is missing.
    has_head = process.wait(allowed=(0, 128)) == 0
    if listed or (not has_head and _has_history(git_directory)):
        raise GitFailure(f"{name}: its index is missing; `git reset` restores it; {ADVICE}")


def _has_history(git_directory: str) -> bool:
    """Return whether HEAD was ever moved, or an object was stored: a new repository has neither."""
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
    """Yield which of `paths`, as git lists them from `top`, are in `directory`, as paths from there.

    Directories are compared by identity, not by spelling: a volume may ignore the case of
    letters, or be mounted twice. Raises `GitFailure` if `directory` is in one of the submodules.
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
    """Return the names that lead from `top` to `directory`, `None` if they do not."""
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
    """Return git's own words."""
    return str(failure).removeprefix("git rev-parse: ").removeprefix("git ls-files: ")


def fold_path(path: str) -> str:
    """Return what two paths have in common that one file system or another takes for one.

    Case of letters (NTFS, APFS, HFS+) and the normal form of accents (HFS+) are folded.
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
    """Return an environment in which git takes the repository from where it is run.

    It looks for it beyond a mount point too, as `find_mark` does.
    """
    across = environment(GIT_DISCOVERY_ACROSS_FILESYSTEM="1")
    return {name: value for name, value in across.items() if name not in REPOSITORY_VARIABLES}
