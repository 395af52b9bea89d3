"""Programs in the configuration of a repository do not run, and its settings change no result."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faults.fault_env import Call, Sandbox, assert_clean_exit, every_call, every_command, posix

pytestmark = posix

#: Every key of git-config(1) that names a program, and some that lead to one.
PROGRAMS = (
    *("core.fsmonitor", "core.fsmonitorHookVersion", "core.sshCommand", "core.gitProxy"),
    *("core.pager", "core.editor", "core.askPass", "core.alternateRefsCommand"),
    *("sequence.editor", "credential.helper", "gpg.program", "gpg.ssh.program", "gpg.x509.program"),
    *("gpg.ssh.defaultKeyCommand", "diff.external", "diff.d.textconv", "diff.d.command"),
    *("merge.m.driver", "filter.f.clean", "filter.f.smudge", "filter.f.process"),
    *("uploadpack.packObjectsHook", "receive.procReceiveRefs", "remote.origin.uploadpack"),
    *("remote.origin.receivepack", "remote.origin.vcs", "interactive.diffFilter"),
    *("man.viewer", "browser.b.cmd", "difftool.t.cmd", "mergetool.t.cmd", "web.browser"),
    *("sendemail.smtpServer", "trailer.t.command", "trailer.t.cmd", "submodule.s.update"),
    *("alias.ls-files", "alias.rev-parse", "alias.cat-file", "alias.config", "alias.check-ignore"),
    *("pager.ls-files", "pager.diff-index", "pager.rev-list", "pager.config", "pager.cat-file"),
    *("protocol.ext.allow", "init.templateDir", "help.browser", "instaweb.httpd", "tar.t.command"),
)
#: What goes before and behind a program where the value is more than its path.
FORMS = {
    "alias": "!{}",
    "submodule": "!{}",
    "credential": "!{}",
    "protocol.ext.allow": "always",
    "core.fsmonitorHookVersion": "2",
}
#: Every hook of githooks(5).
HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit"),
    *("prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout"),
    *("post-merge", "pre-push", "pre-receive", "update", "proc-receive", "post-receive"),
    *("post-update", "reference-transaction", "push-to-checkout", "pre-auto-gc", "post-rewrite"),
    *("sendemail-validate", "fsmonitor-watchman", "post-index-change"),
)
ATTRIBUTES = "* filter=f diff=d merge=m text=auto\n*.pyc filter=f diff=d\n"


def witness(path: Path) -> Path:
    """Make a program that records that it ran."""
    program = path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {path}/witness\nexit 1\n')
    program.chmod(0o755)
    return program


def make_hostile(scene: Sandbox, path: Path) -> Path:
    """Name a program wherever one can be named; return what it writes."""
    program = witness(path)
    config = path / "included"
    for key in PROGRAMS:
        form = next((form for start, form in FORMS.items() if key.startswith(start)), "{}")
        scene.repo.git("config", "--file", os.fspath(config), key, form.format(program))
    scene.repo.git("config", "include.path", os.fspath(config))
    hooks = path / "hooks"
    for directory in (hooks, scene.path / ".git" / "hooks"):
        directory.mkdir()
        for name in HOOKS:
            (directory / name).symlink_to(program)
    scene.repo.git("config", "core.hooksPath", os.fspath(hooks))
    for name in (".gitattributes", "pkg/.gitattributes", ".git/info/attributes"):
        scene.repo.write(name, ATTRIBUTES)
    attributes = path / "attributes"
    attributes.write_text(ATTRIBUTES)
    scene.repo.git("config", "core.attributesFile", os.fspath(attributes))
    return path / "witness"


#: Settings of git that take any text: `make_settings.py` describes how they were found.
TEXTS = (Path(__file__).parent / "settings.txt").read_text("utf-8").split()
#: In the year 2037: newer than any index, so that git reads the file again ("racily clean").
LATE = 2_114_380_800


def make_racy(scene: Sandbox) -> None:
    """Have every writer of the index read a tracked file again."""
    scene.repo.git("config", "core.trustctime", "false")
    scene.repo.git("config", "core.checkStat", "minimal")
    for name in ("a.py", "lint.py"):
        os.utime(scene.path / name, (LATE, LATE))
        scene.repo.git("add", name)


def set_everything(scene: Sandbox, path: Path) -> Path:
    """Name a program in every setting that takes text; return what it writes."""
    make_racy(scene)
    program = witness(path)
    lines = []
    for setting in [*TEXTS, *PROGRAMS]:
        section, _, key = setting.rpartition(".")
        first, _, name = section.partition(".")
        form = next((form for start, form in FORMS.items() if setting.startswith(start)), "{}")
        lines.append(f'[{first} "{name}"]' if name else f"[{first}]")
        lines.append(f'{key} = "{form.format(program)}"')
    config = path / "everything"
    # The last is a hook as git 2.54 and later have it (git-hook(1)).
    event = '[hook "h"]\nevent = post-index-change\n'
    config.write_text("\n".join([*lines, event]))
    scene.repo.git("config", "include.path", os.fspath(config))
    for name in (".gitattributes", ".git/info/attributes"):
        scene.repo.write(name, ATTRIBUTES)
    return path / "witness"


@every_call(30)
def test_no_setting_that_takes_text_names_a_program_that_is_run(
    scene: Sandbox, tmp_path: Path, call: Call
) -> None:
    usual = scene.baseline(call)
    seen = set_everything(scene, tmp_path)
    assert len(TEXTS) > 800
    assert scene.repo.git("config", "gpg.program")
    result = scene.run(call)
    assert not seen.exists(), seen.read_text()
    assert_clean_exit(result)
    assert result.code == usual.code, result


#: Programs that a writer of an index would run, as lines of a configuration; what stands in a
#: `.gitattributes`.
WRITERS = {
    "clean": ('[filter "f"]\nclean = {}\n', "* filter=f\n"),
    "process": ('[filter "f"]\nprocess = {}\n', "* filter=f\n"),
    "a filter that must not fail": (
        '[filter "f"]\nclean = {0}\nprocess = {0}\nrequired\n',
        "* filter=f\n",
    ),
    "a name with dots and spaces": ('[filter "a b.C"]\nclean = {}\n', None),
    "a name of capitals": ('[FILTER "F"]\nCLEAN = {}\n', "* filter=F\n"),
    "two names": (
        '[filter "f"]\nclean = {0}\n[filter "g"]\nprocess = {0}\n',
        "a.py filter=f\nlint.py filter=g\n",
    ),
    "no name": ("[filter]\nclean = {}\n", "* filter=filter\n"),
    "an empty name": ('[filter ""]\nclean = {}\n', "* filter=\n"),
    "a hook of the configuration": (
        '[hook "h"]\nevent = post-index-change\ncommand = {}\n',
        None,
    ),
    "several hooks": (
        (
            '[hook "h"]\nevent = post-index-change\ncommand = {0}\n'
            '[hook "i.j"]\nevent = post-index-change\ncommand = {0}\nenabled = true\n'
        ),
        None,
    ),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("call", [Call("fix"), Call("forbid-bytecode", ("--fix",))], ids=str)
@pytest.mark.parametrize("is_included", [False, True])
def test_h4_a_writer_of_the_index_runs_nothing(
    scene: Sandbox, tmp_path: Path, call: Call, name: str, *, is_included: bool
) -> None:
    make_racy(scene)
    program = witness(tmp_path)
    config, attributes = WRITERS[name]
    text = config.format(program)
    if is_included:
        (tmp_path / "included").write_text(text)
        text = f"[include]\npath = {tmp_path / 'included'}\n"
    with open(scene.path / ".git" / "config", "a", encoding="utf-8") as file:
        file.write(text)
    if attributes is not None:
        scene.repo.write(".git/info/attributes", attributes)
    result = scene.run(call)
    assert not (tmp_path / "witness").exists()
    assert "untracked; the file stays on disk" in result.out, result
    assert "new/z.pyc" not in scene.repo.git("-c", "filter.f.required=false", "ls-files")


@pytest.mark.parametrize("section", ["filter", "hook"])
def test_h4_a_name_that_no_option_can_carry_is_refused(
    scene: Sandbox, tmp_path: Path, section: str
) -> None:
    make_racy(scene)
    program = witness(tmp_path)
    with open(scene.path / ".git" / "config", "a", encoding="utf-8") as file:
        file.write(f'[{section} "f=g"]\nclean = {program}\n')
    scene.repo.write(".git/info/attributes", "* filter=f=g\n")
    result = scene.run(Call("fix"))
    assert not (tmp_path / "witness").exists()
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {section}.f=g: ")


def test_h4_the_filters_would_be_run(scene: Sandbox, tmp_path: Path) -> None:
    """Otherwise the tests above would test nothing. What is changed meanwhile is still seen."""
    make_racy(scene)
    program = witness(tmp_path)
    scene.repo.git("config", "filter.f.clean", os.fspath(program))
    scene.repo.write(".git/info/attributes", "* filter=f\n")
    scene.repo.git("update-index", "--force-remove", "new/z.pyc", check=False)
    assert (tmp_path / "witness").exists()


def test_h4_a_change_of_the_same_second_is_not_hidden(scene: Sandbox) -> None:
    """Git smudges such an entry when it writes the index; that must still happen."""
    make_racy(scene)
    path = scene.path / "a.py"
    path.write_text("x = 7\n")
    os.utime(path, (LATE, LATE))
    scene.run(Call("forbid-bytecode", ("--fix",)))
    assert "a.py" in scene.repo.git("diff", "--name-only").splitlines()


@every_call(2)
def test_no_program_of_a_repository_is_run(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    usual = scene.baseline(call)
    seen = make_hostile(scene, tmp_path)
    result = scene.run(call)
    assert not seen.exists(), seen.read_text()
    assert_clean_exit(result)
    if call.command not in ("doctor", "check-dist"):  # that reports the hooks
        assert (result.code, result.err) == (usual.code, usual.err)


def test_the_programs_would_be_run(scene: Sandbox, tmp_path: Path) -> None:
    """Git itself runs some of them: otherwise the test above would test nothing."""
    seen = make_hostile(scene, tmp_path)
    scene.repo.git("-c", "core.fsmonitor=", "add", ".gitattributes", check=False)
    scene.repo.git("diff", "HEAD", check=False)
    assert seen.exists()
    assert "program" in seen.read_text()


@every_command(2)
def test_a_partial_clone_fetches_nothing(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    """Blobs are missing, and the remote is a program: `ext::` of git-remote-ext(1)."""
    program = witness(tmp_path)
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::{program} %S",
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
    }.items():
        scene.repo.git("config", key, value)
    for path in ("data.bin", "pkg/data.bin", "new/z.pyc", "lint.py", "pyproject.toml", "tool"):
        blob = scene.repo.git("rev-parse", f":{path}")
        (scene.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink(missing_ok=True)
    result = scene.run(call, env={"GIT_ALLOW_PROTOCOL": "ext:file", "GIT_NO_LAZY_FETCH": "0"})
    assert not (tmp_path / "witness").exists()
    assert_clean_exit(result)
    assert result.code or call.command == "clean"
    scene.repo.git("cat-file", "-p", ":data.bin", check=False)
    assert (tmp_path / "witness").exists()  # git, left to itself, does


#: Settings that change what git prints, looks at or where; each must change nothing here, or be
#: refused.
SETTINGS = {
    "diff.renames": "copies",
    "diff.noPrefix": "true",
    "diff.relative": "true",
    "diff.orderFile": "/no/such/file",
    "diff.ignoreSubmodules": "all",
    "diff.submodule": "log",
    "diff.algorithm": "patience",
    "diff.colorMoved": "zebra",
    "color.ui": "always",
    "color.diff": "always",
    "core.abbrev": "4",
    "core.quotePath": "true",
    "core.ignoreCase": "true",
    "core.precomposeUnicode": "true",
    "core.fileMode": "false",
    "core.symlinks": "false",
    "core.trustctime": "false",
    "core.checkStat": "minimal",
    "core.untrackedCache": "true",
    "core.splitIndex": "true",
    "core.preloadIndex": "false",
    "core.excludesFile": "/dev/zero/none",
    "core.attributesFile": "/no/such/file",
    "core.autocrlf": "true",
    "core.eol": "crlf",
    "core.safecrlf": "true",
    "core.bigFileThreshold": "1",
    "core.logAllRefUpdates": "false",
    "core.warnAmbiguousRefs": "true",
    "core.useReplaceRefs": "true",
    "core.multiPackIndex": "true",
    "core.commitGraph": "false",
    "core.notesRef": "refs/heads/main",
    "index.sparse": "true",
    "index.threads": "1",
    "feature.manyFiles": "true",
    "feature.experimental": "true",
    "status.showUntrackedFiles": "no",
    "log.showSignature": "true",
    "log.date": "human",
    "log.follow": "true",
    "log.excludeDecoration": "x",
    "log.diffMerges": "off",
    "rev-list.x": "y",
    "i18n.logOutputEncoding": "UTF-16",
    "i18n.commitEncoding": "UTF-16",
    "submodule.recurse": "true",
    "trace2.normalTarget": "/dev/full",
    "versionsort.suffix": "-",
    "gc.auto": "1",
    "maintenance.auto": "true",
    "fetch.recurseSubmodules": "true",
    "transfer.hideRefs": "refs",
}


@every_call(3)
def test_no_setting_changes_an_answer(scene: Sandbox, call: Call) -> None:
    usual = scene.baseline(call)
    for key, value in SETTINGS.items():
        scene.repo.git("config", key, value)
    result = scene.run(call)
    assert_clean_exit(result)
    if call.command == "doctor":  # names directories
        assert result.code == usual.code
    else:
        assert result == usual


#: What makes git refuse, or see something else.
REFUSED = {
    "core.repositoryFormatVersion": "99",
    "extensions.noSuchThing": "true",
    "core.worktree": "/no/such/directory",
    "core.bare": "maybe",
    "include.path": "/dev",
    "core.abbrev": "banana",
}


@every_command(3)
@pytest.mark.parametrize("key", ["core.repositoryFormatVersion", "core.worktree"])
def test_a_configuration_that_git_refuses(scene: Sandbox, call: Call, key: str) -> None:
    if key == "core.repositoryFormatVersion":
        scene.repo.git("config", "extensions.noSuchThing", "true")
    scene.repo.git("config", key, REFUSED[key], check=False)
    result = scene.run(call)
    assert_clean_exit(result)
    assert result.code or call.command == "clean"


@pytest.mark.parametrize("key", REFUSED)
def test_configurations_that_git_refuses(scene: Sandbox, key: str) -> None:
    scene.repo.git("config", key, REFUSED[key], check=False)
    result = scene.run(Call("forbid-bytecode"))
    assert_clean_exit(result)
    assert result.code
