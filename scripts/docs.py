"""`python -m scripts.docs`: write the tables of the documentation that repeat facts of the code.

A table stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything else in a page is
written by hand. `tests/test_generated_docs.py` fails if a table is out of date. The completions and the
codes in the schema of the configuration are made from the same facts, and are written too.
"""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import yaml

from pycache_guard.cli import COMMANDS
from pycache_guard.commands._help import load_help
from pycache_guard.config import ignorable_rules
from pycache_guard.findings import Rule
from pycache_guard.git.process import OLDEST_GIT

ROOT = Path(__file__).parents[1]
CONFIG_SCHEMA = ROOT / "hooks" / "pycache_guard" / "schemas" / "config.schema.json"
#: The oldest git that both runners work with: pre-commit 4 calls `git ls-files --deduplicate` (2.31),
#: prek `git diff --no-relative` (2.28).
OLDEST_GIT_OF_RUNNERS = "2.31"
#: The version of the language of the oldest PyPy that the suite has passed with.
OLDEST_PYPY = "3.11"
BLOCK = re.compile(r"(?s)(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)")


def main() -> int:
    """Write all pages; print the changed ones."""
    for page in find_pages():
        old = page.read_text(encoding="utf-8")
        new = generate_blocks(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
            print(page.relative_to(ROOT).as_posix())
    old = CONFIG_SCHEMA.read_text(encoding="utf-8")
    new = update_config_schema(old)
    if new != old:
        CONFIG_SCHEMA.write_text(new, encoding="utf-8")
        print(CONFIG_SCHEMA.relative_to(ROOT).as_posix())
    if find_spec("shtab"):
        from scripts import completions

        completions.main()
    return 0


def update_config_schema(text: str) -> str:
    """Return the schema of the configuration with the codes of all rules that can be ignored."""
    schema = json.loads(text)
    schema["properties"]["ignore"]["items"]["enum"] = [rule.name for rule in ignorable_rules()]
    return json.dumps(schema, indent=2) + "\n"


def find_pages() -> list[Path]:
    """Return the pages that can have generated tables."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def generate_blocks(text: str) -> str:
    """Return the text of a page with its generated tables up to date.

    Raises `KeyError` for the name of a table that does not exist.
    """
    return BLOCK.sub(lambda found: f"{found[1]}{generate_block(found[2])}{found[3]}", text)


def generate_block(name: str) -> str:
    """Return the lines of the table `name`."""
    if name.startswith("rules-"):
        return format_rules(name.removeprefix("rules-"))
    formatters = {
        "commands": format_commands,
        "hooks": format_hooks,
        "requirements": format_requirements,
        "rule-range": format_rule_range,
    }
    return formatters[name]()


def format_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text.replace(f"| {' | '.join(lines[1])} |", f"|{'|'.join(lines[1])}|")


def format_commands() -> str:
    """Return the table of commands; those without a page or a section are explained by `--help`."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = []
    for name in COMMANDS:
        text = load_help(name)
        link = f"[{text.page}]({text.page})"
        if text.page == "commands.md":
            link = f"[below](#{name})" if f"\n## {name}\n" in page else "`--help`"
        rows.append([f"`{name}`", text.summary, link])
    return format_table(["command", "what it does", "page"], rows)


def format_hooks() -> str:
    """Return the table of hooks, from the manifest."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return format_table(
        ["id", "description", "runs", "stages"],
        [
            [
                f"`{hook['id']}`",
                re.sub(r"__\w+__|\*\.\w+", r"`\g<0>`", hook["description"]),
                f"`{hook['entry']}`" if hook["language"] == "python" else "a regular expression",
                ", ".join(hook["stages"]),
            ]
            for hook in hooks
        ],
    )


def read_oldest_versions() -> dict[str, str]:
    """Return the oldest supported version of each program, from where it is in force."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (runner,) = {hook["minimum_pre_commit_version"] for hook in hooks}
    (python,) = re.findall(r'(?m)^requires-python = ">=(.+)"$', project)
    (prek,) = re.findall(r'(?m)^  "prek>=(.+)",$', project)
    return {
        "Python": python,
        "PyPy": OLDEST_PYPY,
        "git": OLDEST_GIT,
        "git of the hooks": OLDEST_GIT_OF_RUNNERS,
        "pre-commit": runner,
        "prek": prek,
    }


def format_requirements() -> str:
    """Return the table of the oldest supported versions."""
    oldest = read_oldest_versions()
    python = f"{oldest['Python']} or later, or PyPy {oldest['PyPy']}"
    return format_table(
        ["program", "for the command", "for the hooks"],
        [
            ["Python", python, python],
            ["git", f"{oldest['git']} or later", f"{oldest['git of the hooks']} or later"],
            ["pre-commit", "", f"{oldest['pre-commit']} or later"],
            ["prek", "", f"{oldest['prek']} or later"],
        ],
    )


def format_rules(prefix: str) -> str:
    """Return the table of the rules whose codes begin with `prefix`. Raises `KeyError` without one."""
    rules = [rule for rule in Rule if rule.name.startswith(prefix)]
    if not rules:
        raise KeyError(prefix)
    return format_table(
        ["code", "name", "meaning"],
        [[f"[{rule.name}]({rule.name}.md)", rule.value, rule.summary] for rule in rules],
    )


def format_rule_range() -> str:
    """Return a line that names the first and the last rule."""
    first, *_, last = Rule
    return f"Rules: [{first.name} to {last.name}](docs/rules/README.md).\n"


if __name__ == "__main__":
    raise SystemExit(main())
