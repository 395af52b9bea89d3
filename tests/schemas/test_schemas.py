"""The schemas that are shipped: valid themselves, and of one mind with the program."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import jsonschema
import pytest

from helpers.report_schema import is_json_report, validate_report
from pycache_guard.config import KEYS, PROBES, ignored_codes, parse, parse_toml
from pycache_guard.errors import Failure
from pycache_guard.findings import Rule
from pycache_guard.report import render
from pycache_guard.schemas import config_schema, load_schema
from report.samples import ALL

if TYPE_CHECKING:
    from conftest import Run
    from helpers.repo import Repo


@pytest.mark.parametrize("name", ["report", "config"])
def test_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(load_schema(name))


def can_be_ignored(code: str) -> bool:
    try:
        ignored_codes([code], "")
    except Failure:
        return False
    return True


def test_config_schema_has_the_values_of_the_program() -> None:
    properties = load_schema("config")["properties"]
    assert {*properties} == {*KEYS}
    assert properties["probes"]["items"]["enum"] == [*PROBES]
    expected = [rule.name for rule in Rule if can_be_ignored(rule.name)]
    assert properties["ignore"]["items"]["enum"] == expected


BLOB = "8baef1b4abc478178b004d62031cf7fe6db6f903"
CONFIGS = [
    ("", True),
    ("allow = []\nignore = []\n", True),
    ('allow = [{ path = "a.pyc", reason = "b" }]', True),
    (f'allow = [{{ path = "a", reason = "b", blob = "{BLOB}" }}]', True),
    (f'allow = [{{ path = "a", reason = "b", blob = "{BLOB.upper()}" }}]', True),
    (f'allow = [{{ path = "a", reason = "b", blob = "{BLOB}0000" }}]', False),
    (f'allow = [{{ path = "a", reason = "b", blob = "{BLOB}\\n" }}]', False),
    ('allow = [{ path = "a", reason = "b", blob = "HEAD" }]', False),
    ('allow = [{ path = "a", reason = " " }]', False),
    ('allow = [{ path = "", reason = "b" }]', False),
    ('allow = [{ path = "a\\u0000", reason = "b" }]', False),
    ('allow = [{ path = "a" }]', False),
    ('allow = [{ path = "a", reason = "b", owner = "c" }]', False),
    ('allow = ["a.pyc"]', False),
    ('allow = "a.pyc"', False),
    ('probes = ["cache", "python2"]', True),
    ("probes = []", False),
    ('probes = ["cash"]', False),
    ('ignore = ["PYC203", "PYC203", "PYC414"]', True),
    ('ignore = ["PYC001"]', False),
    ('ignore = ["pyc203"]', False),
    ("ignore = [203]", False),
    ("allowed = []", False),
]


@pytest.mark.parametrize(("table", "is_valid"), CONFIGS)
def test_config_schema_agrees_with_the_program(table: str, is_valid: bool) -> None:
    data = f"[tool.pycache-guard]\n{table}\n".encode()
    if is_valid:
        parse(data, "pyproject.toml")
    else:
        with pytest.raises(Failure):
            parse(data, "pyproject.toml")
    tool = parse_toml(data, "pyproject.toml")["tool"]
    assert isinstance(tool, dict)
    validator = jsonschema.Draft7Validator(config_schema("pycache-guard"))
    assert validator.is_valid(tool["pycache-guard"]) is is_valid


def test_config_schema_is_found_by_validate_pyproject() -> None:
    (entry,) = entry_points(group="validate_pyproject.tool_schema", name="pycache-guard")
    assert entry.load()("pycache-guard")["$id"].endswith("/config.schema.json")


@pytest.mark.parametrize(("table", "is_valid"), CONFIGS)
@pytest.mark.unmeasured
def test_config_schema_works_in_validate_pyproject(table: str, is_valid: bool) -> None:
    api = pytest.importorskip("validate_pyproject.api")
    errors = pytest.importorskip("validate_pyproject.errors")
    document = parse_toml(f"[tool.pycache-guard]\n{table}\n".encode(), "pyproject.toml")
    validator = api.Validator()
    if is_valid:
        validator(document)
    else:
        with pytest.raises(errors.ValidationError):
            validator(document)


def test_report_schema_accepts_every_kind_of_finding() -> None:
    validate_report(render(ALL, "forbid-bytecode", "json"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "E501"),
        ("path", 1),
        ("line", 0),
        ("line", "3"),
        ("message", None),
        ("message", ""),
        ("fixed", None),
        ("commit", False),
    ],
)
def test_report_schema_refuses_a_wrong_value(key: str, value: object) -> None:
    report = json.loads(render(ALL, "forbid-bytecode", "json"))
    report["findings"][0][key] = value
    with pytest.raises(jsonschema.ValidationError):
        validate_report(json.dumps(report))


@pytest.mark.parametrize("key", ["version", "command", "checked", "notes", "findings"])
def test_report_schema_requires_every_key(key: str) -> None:
    report = json.loads(render(ALL, "forbid-bytecode", "json"))
    del report[key]
    with pytest.raises(jsonschema.ValidationError):
        validate_report(json.dumps(report))


def test_report_schema_is_applied_to_every_json_report(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.pyc")
    assert run("forbid-bytecode", "--format", "json").code == 1
    monkeypatch.setattr("pycache_guard.report.json.finding_to_dict", lambda _: {"code": "PYC001"})
    with pytest.raises(jsonschema.ValidationError):
        run("forbid-bytecode", "--format", "json")


@pytest.mark.parametrize(
    ("argv", "out", "expected"),
    [
        (("lint", "--format", "json"), "{}", True),
        (("lint", "--format=json", "a"), "{}", True),
        (("lint", "--format", "json"), "", False),
        (("lint", "--format", "sarif"), "{}", False),
        (("lint",), "OK: …", False),
    ],
)
def test_report_is_recognized(argv: tuple[str, ...], out: str, expected: bool) -> None:
    assert is_json_report(argv, out) is expected
