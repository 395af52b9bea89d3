"""What is refused by content, what is read for that, and which allowances are heard."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import WRITER
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN
from pycache_guard.git.process import FIXED_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls, Run
    from helpers.repo import Repo, Result

COMMAND = "forbid-bytecode"
CONTENT = f"contains {WRITER} bytecode despite its name; Python can execute it"
HIDDEN = f"{CONTENT}; then delete, move or allow it, or the next `git add -A` adds it again"
IN_A_TREE = "remove it with a new commit; this one cannot change"


def leaks(place: str) -> str:
    """Return the sentence that names the command for bytecode in a commit."""
    return f"; `pycache-guard inspect --leaks {place}` lists what its source does not contain"


UNUSED = "PYC003 the allow entry `{}` matches no tracked bytecode; remove the option"
UNUSED_ENTRY = UNUSED.replace("the option", "the entry")


def report_lines(result: Result) -> list[str]:
    """Return the findings' lines of a report that says nothing else."""
    assert result.err == ""
    lines = [
        line for line in result.out.partition("\n\n")[0].splitlines() if not line.startswith("OK: ")
    ]
    assert result.code == (1 if lines else 0)
    return lines


def config(*items: str) -> str:
    listed = ",\n".join(f"  {{ {item}, reason = 'r' }}" for item in items)
    return f"[tool.pycache-guard]\nallow = [\n{listed}\n]\n"


class TestContent:
    def test_bytecode_of_another_name_is_pyc002(self, repo: Repo, run: Run) -> None:
        repo.add("a.py", "x = 1\n")
        repo.add("logo.png", BYTECODE)
        assert run(COMMAND, "--quiet") == (
            1,
            f"logo.png: PYC002 {HIDDEN}\n\nTo fix:\n    git rm -r -f --cached -- logo.png\n",
            "",
        )

    @pytest.mark.parametrize(
        ("argv", "expected"),
        [
            ((), ["changed", "link", "new", "run"]),
            (("--staged",), ["changed", "link", "new", "run"]),
            (("--content", "new"), ["changed", "link", "new", "run"]),
            (("--content", "all"), ["changed", "link", "new", "old", "run"]),
            (("--content", "all", "--staged"), ["changed", "link", "new", "run"]),
            (("--content", "none"), []),
            (("--content", "none", "--staged"), []),
        ],
    )
    def test_scan_reads_each_new_blob_once(
        self, repo: Repo, run: Run, git_calls: GitCalls, argv: tuple[str, ...], expected: list[str]
    ) -> None:
        """By the record of what `cat-file` was asked for: no blob more, and none twice."""
        text = repo.stage("text", "old text")
        old = repo.stage("old", BYTECODE)
        repo.stage("changed", "text that was")
        repo.commit()
        asked = {"changed": repo.stage("changed", BYTECODE + b"1")}
        asked["new"] = repo.stage("new", BYTECODE + b"2")
        asked["run"] = repo.stage("run", BYTECODE + b"2", mode="100755")
        asked["link"] = repo.stage("link", BYTECODE + b"link", mode="120000")
        repo.stage("sub", repo.git("rev-parse", "HEAD"), mode="160000")
        git_calls.reset()
        assert report_lines(run(COMMAND, *argv)) == [
            f"{name}: PYC002 {HIDDEN}" for name in expected
        ]
        verbs = git_calls.verbs()
        if not expected:
            assert git_calls.blobs() == []
            assert "cat-file" not in verbs
        elif "old" in expected:
            wanted = {asked["changed"], asked["link"], asked["new"], text, old}
            assert sorted(git_calls.blobs()) == sorted(wanted)
        else:
            assert git_calls.blobs() == [asked["changed"], asked["link"], asked["new"]]
            assert verbs.count("cat-file") == 1

    @pytest.mark.parametrize("argv", [(), ("--staged",), ("--content", "all")])
    def test_bytecode_by_path_and_content_is_reported_once(
        self, repo: Repo, run: Run, argv: tuple[str, ...]
    ) -> None:
        repo.add("a.pyc", BYTECODE)
        assert report_lines(run(COMMAND, *argv)) == ["a.pyc: PYC001 bytecode is tracked"]

    def test_changed_mode_is_not_new_content(self, repo: Repo, run: Run) -> None:
        blob = repo.stage("old", BYTECODE)
        repo.commit()
        repo.git("update-index", "--cacheinfo", f"100755,{blob},old")
        assert (
            report_lines(run(COMMAND, "--quiet"))
            == report_lines(run(COMMAND, "--quiet", "--staged"))
            == []
        )

    def test_renamed_file_is_new_content(self, repo: Repo, run: Run) -> None:
        repo.git("config", "diff.renames", "copies")
        repo.add("old", BYTECODE)
        repo.commit()
        repo.git("mv", "old", "new")
        assert report_lines(run(COMMAND)) == [f"new: PYC002 {HIDDEN}"]

    @pytest.mark.parametrize("argv", [(), ("--staged",)])
    def test_link_that_becomes_a_file_is_new_content(
        self, repo: Repo, run: Run, argv: tuple[str, ...]
    ) -> None:
        """The blob stays the same; as a link's target it was nothing to run."""
        blob = repo.stage("x", BYTECODE, mode="120000")
        repo.commit()
        assert report_lines(run(COMMAND, "--quiet", *argv)) == []
        repo.git("update-index", "--cacheinfo", f"100644,{blob},x")
        assert report_lines(run(COMMAND, "--quiet", *argv)) == [f"x: PYC002 {HIDDEN}"]
        repo.commit()
        assert report_lines(run(COMMAND, "--quiet", "--tree", "HEAD")) == [
            f"x: PYC002 {CONTENT}; {IN_A_TREE}{leaks('HEAD:x')}"
        ]

    def test_content_before_the_first_commit_is_new(self, repo: Repo, run: Run) -> None:
        repo.stage("x", BYTECODE)
        expected = [f"x: PYC002 {HIDDEN}"]
        assert (
            report_lines(run(COMMAND, "--quiet"))
            == report_lines(run(COMMAND, "--quiet", "--staged"))
            == expected
        )
        repo.commit()
        assert report_lines(run(COMMAND, "--quiet")) == []
        repo.git("checkout", "-q", "--orphan", "other")
        assert report_lines(run(COMMAND, "--quiet")) == expected

    def test_empty_repository_has_no_findings(self, repo: Repo, run: Run) -> None:
        for argv in ((), ("--staged",), ("--content", "all"), ("--format", "text")):
            assert run(COMMAND, *argv) == CLEAN

    @pytest.mark.parametrize("argv", [(), ("--staged",), ("--content", "all")])
    def test_conflict_is_reported_once(self, repo: Repo, run: Run, argv: tuple[str, ...]) -> None:
        repo.commit()
        for stage in (1, 2, 3):
            repo.stage("x", BYTECODE + b"%d" % stage, stage=stage)
        repo.stage("y", "text", stage=2)
        repo.stage("y", BYTECODE, stage=3)
        repo.stage("z", "text", stage=2)
        assert report_lines(run(COMMAND, *argv)) == [f"{name}: PYC002 {HIDDEN}" for name in "xy"]

    def test_content_of_the_merged_branch_is_new(self, repo: Repo, run: Run) -> None:
        """What another branch brings in is new here."""
        repo.commit()
        repo.git("checkout", "-q", "-b", "other")
        repo.add("x", BYTECODE)
        repo.commit()
        repo.git("checkout", "-q", "main")
        repo.git("merge", "-q", "--no-ff", "--no-commit", "other")
        assert report_lines(run(COMMAND)) == [f"x: PYC002 {HIDDEN}"]

    def test_large_files_are_checked(self, repo: Repo, run: Run) -> None:
        repo.stage("a-large", bytes(3_000_000))
        repo.stage("b-bytecode", BYTECODE + bytes(3_000_000))
        repo.stage("c", BYTECODE)
        expected = [f"{name}: PYC002 {HIDDEN}" for name in ("b-bytecode", "c")]
        assert report_lines(run(COMMAND)) == expected

    def test_missing_blob_is_named_by_its_path(self, repo: Repo, run: Run) -> None:
        blob = repo.stage("x", "1")
        os.unlink(repo.path / ".git" / "objects" / blob[:2] / blob[2:])
        words = (
            f"blob {blob} cannot be read here: it is missing; `git fsck` lists all missing objects"
        )
        message = f"error: x: {words}\n"
        assert run(COMMAND, "--quiet") == (2, "", message)
        assert run(COMMAND, "--content", "none") == CLEAN
        repo.stage("a.pyc", "2")
        for argv in ((), ("--fix",), ("--staged",)):
            code, out, err = run(COMMAND, "--quiet", *argv)
            assert (code, out.splitlines()[0], err) == (
                2,
                "a.pyc: PYC001 bytecode is tracked",
                message,
            )


class TestTree:
    def test_new_content_of_a_tree_is_what_its_commit_added(self, repo: Repo, run: Run) -> None:
        repo.stage("a", BYTECODE + b"a")
        root = repo.commit("root")
        repo.stage("b", BYTECODE + b"b")
        second = repo.commit("second")
        third = repo.commit("third")
        a, b = (f"{n}: PYC002 {CONTENT}; {IN_A_TREE}{leaks(f'{second}:{n}')}" for n in "ab")
        for revision in (third, f"{third}^{{tree}}", second, root):
            assert report_lines(run(COMMAND, "--quiet", "--tree", revision)) == []
        assert report_lines(run(COMMAND, "--quiet", "--tree", second, "--content", "all")) == [a, b]
        repo.git("checkout", "-q", second)
        assert report_lines(run(COMMAND, "--quiet", "--tree", "HEAD")) == [
            b.replace(second, "HEAD")
        ]
        repo.git("checkout", "-q", root)
        assert report_lines(run(COMMAND, "--quiet", "--tree", "HEAD")) == [
            a.replace(second, "HEAD")
        ]
        assert report_lines(run(COMMAND, "--quiet", "--tree", second)) == [b]

    def test_staged_with_tree_is_an_error(self, repo: Repo, run: Run) -> None:
        repo.commit()
        code, out, err = run(COMMAND, "--tree", "HEAD", "--staged")
        assert (code, out) == (2, "")
        assert "not allowed with argument" in err


@pytest.mark.skipif(sys.platform == "win32", reason="a file:// URL of this form")
class TestPartialClone:
    @pytest.fixture
    def clone(
        self, make_repo: Callable[..., Repo], repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> Repo:
        """Stand in a clone that has no blobs, and whose origin would give them."""
        repo.git("config", "uploadpack.allowFilter", "true")
        repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
        repo.stage("x", BYTECODE)
        repo.stage("ok.pyc", "x")
        repo.commit()
        path = repo.path.parent / "clone"
        subprocess.run(
            ["git", "clone", "-q", "-n", "--filter=blob:none", f"file://{repo.path}", path],
            check=True,
        )
        monkeypatch.chdir(path)
        clone = type(repo)(path)
        # `git read-tree` of git 2.31 would fetch the contents.
        listed = clone.git("ls-tree", "-r", "-z", "HEAD")
        clone.git("update-index", "-z", "--index-info", input=os.fsencode(listed))
        return clone

    def missing(self, clone: Repo) -> int:
        listed = clone.git("rev-list", "--objects", "--missing=print", "HEAD").splitlines()
        return sum(line.startswith("?") for line in listed)

    def test_partial_clone_without_needed_contents_fetches_nothing(
        self, clone: Repo, run: Run
    ) -> None:
        assert report_lines(run(COMMAND, "--quiet")) == ["ok.pyc: PYC001 bytecode is tracked"]
        assert report_lines(run(COMMAND, "--quiet", "--allow", "ok.pyc")) == []
        assert self.missing(clone) == 2

    @pytest.mark.parametrize("argv", [("--content", "all"), ("--tree", "HEAD")])
    @pytest.mark.parametrize("git", ["as it is", "before it knew GIT_NO_LAZY_FETCH"])
    def test_partial_clone_with_missing_contents_ends_with_2(
        self,
        clone: Repo,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
        argv: tuple[str, ...],
        git: str,
    ) -> None:
        if git != "as it is":
            monkeypatch.delitem(FIXED_VARIABLES, "GIT_NO_LAZY_FETCH")
        code, out, err = run(COMMAND, *argv)
        hint = f"; {IN_A_TREE}" if "--tree" in argv else ""
        assert (code, out.splitlines()[0]) == (2, f"ok.pyc: PYC001 bytecode is tracked{hint}")
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert self.missing(clone) == 2


class TestAllowances:
    @pytest.mark.parametrize(
        "glob",
        ["d/a.pyc", "d/*.pyc", "**/*.pyc", "d", "d/", "**", "d/[ab].pyc", "**/a.*"],
    )
    def test_allow_globs_match_as_git_pathspecs(self, repo: Repo, run: Run, glob: str) -> None:
        repo.add("d/a.pyc")
        assert report_lines(run(COMMAND, "--quiet", "--allow", glob)) == []
        repo.add("pyproject.toml", config(f"path = '{glob}'"))
        assert report_lines(run(COMMAND, "--quiet")) == []
        repo.commit()
        assert report_lines(run(COMMAND, "--quiet", "--tree", "HEAD")) == []

    @pytest.mark.parametrize(
        "glob", ["*.pyc", "a.pyc", "D/a.pyc", "d/A.PYC", ":(icase)d/A.pyc", "./d/a.pyc", "../d"]
    )
    def test_allow_glob_that_does_not_match_is_unused(
        self, repo: Repo, run: Run, glob: str
    ) -> None:
        """`*` does not match `/`, case matters, and no other magic is heard."""
        repo.add("d/a.pyc")
        found = "d/a.pyc: PYC001 bytecode is tracked"
        assert report_lines(run(COMMAND, "--allow", glob)) == [UNUSED.format(glob), found]

    @pytest.mark.parametrize("variable", ["LITERAL", "GLOB", "NOGLOB", "ICASE"])
    def test_allow_globs_ignore_pathspec_variables(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        repo.add("a.pyc")
        repo.add("d/B.pyc")
        monkeypatch.setenv(f"GIT_{variable}_PATHSPECS", "1")
        assert report_lines(run(COMMAND, "--allow", "**/a.p?c", "--allow", "d/*.pyc")) == []
        assert len(report_lines(run(COMMAND, "--allow", "**/a.p?c", "--allow", "d/b.pyc"))) == 2

    def test_allow_glob_covers_bytecode_content(self, repo: Repo, run: Run) -> None:
        repo.add("data.bin", BYTECODE)
        assert report_lines(run(COMMAND, "--quiet", "--allow", "data.bin")) == []

    def test_command_keeps_allowed_files_of_the_directory(self, repo: Repo, run: Run) -> None:
        """Not the directory is untracked where something in it may stay."""
        for name in ("a/__pycache__/x.pyc", "a/__pycache__/y.pyc", "b/__pycache__/z.pyc"):
            repo.add(name)
        out = run(COMMAND, "--quiet", "--allow", "a/__pycache__/x.pyc").out
        assert out.partition("To fix:\n")[2] == (
            "    git rm -r -f --cached -- a/__pycache__/y.pyc\n"
            "    git rm -r -f --cached -- b/__pycache__\n"
        )

    def test_allow_entry_with_a_blob_covers_that_blob_only(self, repo: Repo, run: Run) -> None:
        good = repo.stage("a.pyc", "good")
        item = f"path = '*.pyc', blob = '{good.upper()}'"
        repo.write("pyproject.toml", config(item))
        assert report_lines(run(COMMAND, "--quiet")) == []
        repo.stage("a.pyc", "evil")
        repo.stage("b.pyc", "evil")
        unused = (
            f"pyproject.toml:3: PYC003 the allow entry `*.pyc` with blob {good} matches no"
            " tracked bytecode; remove the entry"
        )
        expected = [f"{name}: PYC001 bytecode is tracked" for name in ("a.pyc", "b.pyc")]
        assert report_lines(run(COMMAND, "--quiet")) == [*expected, unused]
        repo.stage("c.pyc", "good")
        assert report_lines(run(COMMAND, "--quiet")) == expected

    def test_allow_entry_with_a_blob_covers_bytecode_content(self, repo: Repo, run: Run) -> None:
        good = repo.stage("a", BYTECODE)
        repo.write("pyproject.toml", config(f"path = 'a', blob = '{good}'"))
        assert report_lines(run(COMMAND, "--quiet")) == []
        repo.commit()
        assert report_lines(run(COMMAND, "--quiet")) == []
        repo.stage("a", BYTECODE + b"evil")
        assert report_lines(run(COMMAND, "--quiet", "--staged")) == [f"a: PYC002 {HIDDEN}"]

    def test_allow_entry_with_a_blob_does_not_cover_other_stages(
        self, repo: Repo, run: Run
    ) -> None:
        good = repo.stage("a.pyc", "good", stage=2)
        repo.stage("a.pyc", "evil", stage=3)
        repo.write("pyproject.toml", config(f"path = 'a.pyc', blob = '{good}'"))
        assert report_lines(run(COMMAND)) == ["a.pyc: PYC001 bytecode is tracked"]


class TestUnusedAllowances:
    def test_unused_allow_entry_is_reported_at_its_line(self, repo: Repo, run: Run) -> None:
        repo.add("pyproject.toml", config("path = 'a.pyc'", "path = 'b.pyc'"))
        repo.add("b.pyc")
        expected = f"{UNUSED.format('c.pyc')}\npyproject.toml:3: {UNUSED_ENTRY.format('a.pyc')}\n"
        assert run(COMMAND, "--quiet", "--allow", "c.pyc") == (1, expected, "")

    def test_two_allow_globs_for_one_path_are_both_used(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        assert report_lines(run(COMMAND, "--quiet", "--allow", "a.pyc", "--allow", "*.pyc")) == []

    def test_allow_glob_for_other_files_is_unused(self, repo: Repo, run: Run) -> None:
        repo.add("a.txt", "text")
        repo.stage("link", "target", mode="120000")
        for glob in ("a.txt", "link"):
            assert report_lines(run(COMMAND, "--allow", glob)) == [UNUSED.format(glob)]

    def test_allow_glob_for_old_bytecode_content_is_used(self, repo: Repo, run: Run) -> None:
        repo.stage("old", BYTECODE)
        repo.stage("text", "text")
        repo.commit()
        assert report_lines(run(COMMAND, "--quiet", "--allow", "old")) == []
        assert report_lines(run(COMMAND, "--quiet", "--allow", "text")) == [UNUSED.format("text")]

    def test_allow_glob_without_contents_is_unused_only_without_a_match(
        self, repo: Repo, run: Run
    ) -> None:
        """A file that it matches may hold bytecode; no file at all cannot."""
        repo.stage("old", "text")
        none = ("--content", "none", "--allow")
        assert report_lines(run(COMMAND, "--quiet", *none, "old")) == []
        assert report_lines(run(COMMAND, "--quiet", *none, "no")) == [UNUSED.format("no")]

    def test_unused_allow_glob_is_not_reported_for_staged_changes(
        self, repo: Repo, run: Run
    ) -> None:
        repo.add("a.pyc")
        repo.commit()
        assert (
            report_lines(run(COMMAND, "--quiet", "--staged", "--allow", "*.pyc", "--allow", "no"))
            == []
        )

    def test_unused_allow_entry_of_a_tree_is_reported(self, repo: Repo, run: Run) -> None:
        repo.add("pyproject.toml", config("path = 'a.pyc'"))
        repo.commit()
        assert report_lines(run(COMMAND, "--tree", "HEAD")) == [
            f"pyproject.toml:3: {UNUSED_ENTRY.format('a.pyc')}"
        ]


class TestConfiguration:
    def test_configuration_on_disk_comes_first(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.add("pyproject.toml", config("path = 'b.pyc'"))
        repo.write("pyproject.toml", config("path = 'a.pyc'"))
        assert report_lines(run(COMMAND, "--quiet")) == []

    def test_configuration_in_the_index_is_read_if_not_on_disk(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.add("pyproject.toml", config("path = 'a.pyc'")).unlink()
        assert report_lines(run(COMMAND, "--quiet")) == []

    def test_broken_configuration_of_another_tool_is_ignored(self, repo: Repo, run: Run) -> None:
        repo.write("pyproject.toml", "[tool.black\n")
        assert report_lines(run(COMMAND, "--quiet")) == []

    @pytest.mark.parametrize("argv", [(), ("--staged",), ("--tree", "HEAD")])
    def test_broken_configuration_ends_with_2(
        self, repo: Repo, run: Run, argv: tuple[str, ...]
    ) -> None:
        """Said with nothing else wrong, too."""
        repo.add("pyproject.toml", "[tool.pycache-guard\n")
        repo.commit()
        code, out, err = run(COMMAND, *argv)
        assert (code, out) == (2, "")
        assert err.startswith("error: pyproject.toml: not TOML: ")
        assert err.count("\n") == 1

    def test_configuration_that_is_a_directory_ends_with_2(self, repo: Repo, run: Run) -> None:
        repo.add("pyproject.toml/x.pyc")
        code, out, err = run(COMMAND)
        assert (code, out) == (2, "")
        assert "pyproject.toml: " in err
        repo.commit()
        code, out, err = run(COMMAND, "--tree", "HEAD")
        assert (code, out) == (2, "")
        assert err.startswith("error: blob ")
