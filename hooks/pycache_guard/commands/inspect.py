"""`pycache-guard inspect`: describe bytecode files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import UnsupportedFormat, read_pyc
from pycache_guard.commands._arguments import add_python_option, non_empty, report_parser
from pycache_guard.commands._output import emit, print_error, write_report
from pycache_guard.errors import Failure
from pycache_guard.inspection.facts import inspect_file, locate
from pycache_guard.inspection.render import to_json, to_text
from pycache_guard.report import Summary, count
from pycache_guard.report.escape import join_lines

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.findings import Finding
    from pycache_guard.inspection.facts import Place, PycFacts

NAME = "inspect"
SUMMARY = "describe a bytecode file"
EXAMPLE = "pycache-guard inspect HEAD:pkg/__pycache__/a.cpython-313.pyc"
DOCS_PAGE = "inspect.md"
POSITIONALS = "FILE..."
EXIT_CODES = ("well-formed, same code", "malformed, leaks, differs", "unreadable")

#: A process is started for this number of files.
MIN_FILES_PER_PROCESS = 250
#: Entries of a file that `--leaks` and `--diff` print.
DEFAULT_LIMIT = 10_000
#: Strings of a file in JSON, which takes about 2 KB of memory for each.
MAX_JSON_STRINGS = 100_000


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    options = parse(argv)
    if options.diff:
        return print_diff(options)
    if options.leaks:
        return print_leaks(options)
    if options.textconv:
        return print_textconv(options)
    if options.strings:
        return print_strings(options)
    return describe_files(options)


class Described(NamedTuple):
    """The descriptions of some files."""

    #: Texts, or elements of `files` of the JSON report.
    descriptions: list[object]
    findings: list[Finding]
    #: Why files could not be read.
    failures: list[str]


def describe_files(options: Namespace) -> int:
    """Return 0 if every file is well-formed, 1 if not, 2 if one cannot be read."""
    parts = describe_in_parts(options)
    descriptions = [description for part in parts for description in part.descriptions]
    findings = [finding for part in parts for finding in part.findings]
    failures = [reason for part in parts for reason in part.failures]
    for reason in failures:
        print_error(reason)
    if options.format == "text":
        emit("".join(map(str, descriptions)), options.output)
        code = 1 if findings else 0
    else:
        code = _report_files(descriptions, options, findings)
    return 2 if failures else code


def describe_in_parts(options: Namespace) -> list[Described]:
    """Describe many files in several processes, if they are on disk and the descriptions are small."""
    files = options.files
    processes = min(compat.count_processors(), len(files) // MIN_FILES_PER_PROCESS)
    is_large = options.code or options.format != "text"
    if processes < 2 or is_large or not compat.HAS_FORK or any(":" in name for name in files):
        return [describe(files, options)]
    from pycache_guard.commands._forks import decode_findings, encode_findings, run_slices

    def describe_slice(part: Sequence[str]) -> list[object]:
        descriptions, findings, failures = describe(part, options)
        return [descriptions, encode_findings(findings), failures]

    parts = run_slices(describe_slice, files, processes)
    return [Described(texts, decode_findings(found), failures) for texts, found, failures in parts]


def describe(files: Sequence[str], options: Namespace) -> Described:
    """Describe files, one after the other."""
    facts_of = _render_text if options.format == "text" else _render_json
    described = Described([], [], [])
    for argument in files:
        try:
            facts, found = inspect_file(locate(argument))
        except Failure as failure:
            described.failures.append(str(failure))
            continue
        described.findings.extend(found)
        # Keep the description, and not the tree of code, which may be large.
        described.descriptions.append(facts_of(facts, found, with_code=options.code))
    return described


def _render_text(facts: PycFacts, findings: list[Finding], *, with_code: bool) -> str:
    """Return the description of a file as text."""
    return join_lines(to_text(facts, findings, with_code=with_code))


def _render_json(facts: PycFacts, findings: list[Finding], *, with_code: bool) -> object:
    """Return the element of a file in `files` of the JSON report."""
    return to_json(facts, is_well_formed=not findings, with_code=with_code)


def _report_files(
    descriptions: Sequence[object], options: Namespace, findings: list[Finding] | None = None
) -> int:
    """Write a report with `files`; return 1 if there is a finding, else 0."""
    summary = Summary(len(descriptions), f"{count(len(descriptions), 'file')} inspected")
    more = {"files": descriptions}
    return write_report(findings or [], NAME, options, summary=summary, more=more)


def print_strings(options: Namespace) -> int:
    """Print the strings of the files; return 1 if the code of one could not be read to its end."""
    from pycache_guard.inspection.strings import collect_strings, write_lines

    code, chunks = 0, []
    if options.format == "json":
        return print_strings_as_json(options)
    for argument in options.files:
        try:
            place = locate(argument)
            listed = collect_strings(place.read(), parse_cache_name(place.path))
        except Failure as failure:
            print_error(str(failure))
            code = 2
            continue
        lines = write_lines(listed)
        shown = lines if options.limit is None else lines[: options.limit]
        if listed.problem:
            print_error(f"{argument}: {listed.problem}; it may contain more strings", "note")
            code = max(code, 1)
        if len(shown) < len(lines):
            print_error(f"{argument}: {len(shown):,} of {len(lines):,} strings are shown", "note")
        text = "\n".join([*shown, ""])
        if options.output is None:
            emit(text, None)
        else:
            chunks.append(text)
    if options.output is not None:
        emit("".join(chunks), options.output)
    return code


def print_strings_as_json(options: Namespace) -> int:
    """Print the strings of the files with their places; the exit code is that of `print_strings`."""
    from pycache_guard.inspection.strings import (
        collect_strings,
        list_all_strings,
        place_nowhere,
        string_to_json,
    )

    code, descriptions = 0, []
    for argument in options.files:
        try:
            place = locate(argument)
            data = place.read()
        except Failure as failure:
            print_error(str(failure))
            code = 2
            continue
        name = parse_cache_name(place.path)
        try:
            strings, problem = list_all_strings(read_pyc(data, name), name)
        except InvalidHeader:
            listed = collect_strings(data, name)
            strings, problem = place_nowhere(listed), listed.problem
        if problem:
            print_error(f"{argument}: {problem}; it may contain more strings", "note")
            code = max(code, 1)
        shown = strings[: options.limit or MAX_JSON_STRINGS]
        descriptions.append(
            {
                **_path_keys(place),
                "problem": problem or None,
                "strings": [*map(string_to_json, shown)],
                "omitted": len(strings) - len(shown),
            }
        )
    _report_files(descriptions, options)
    return code


def _path_keys(place: Place) -> dict[str, object]:
    """Return the keys that name a file in JSON."""
    from pycache_guard.report.json import path_fields

    return {**path_fields(place.path), "revision": place.revision}


def print_textconv(options: Namespace) -> int:
    """Print the code of the files for `git diff`; return 0 whatever they contain, 2 if one cannot be read."""
    from pycache_guard.inspection.textconv import textconv_lines

    code, texts = 0, []
    for argument in options.files:
        try:
            place = locate(argument)
            texts.append(join_lines(textconv_lines(place.path, place.read())))
        except Failure as failure:
            print_error(str(failure))
            code = 2
    emit("".join(texts), options.output)
    return code


def print_leaks(options: Namespace) -> int:
    """Print what the files contain and their sources do not; return 1 if there is any."""
    from pycache_guard.inspection.leaks import find_leaks, leaks_to_json, leaks_to_text
    from pycache_guard.interpreters.pool import CompilerPool

    limit = DEFAULT_LIMIT if options.limit is None else options.limit
    code = 0
    descriptions: list[object] = []
    compilers = CompilerPool(options.python)
    try:
        for argument in options.files:
            try:
                place = locate(argument)
                pyc = read_or_fail(place)
                revision, source = place.source_at(options.against)
                leaks = find_leaks(pyc, parse_cache_name(place.path), source, compilers)
            except Failure as failure:
                print_error(str(failure))
                code = 2
                continue
            if leaks.strings or leaks.paths:
                code = max(code, 1)
            where = source and (source.path if revision is None else f"{revision}:{source.path}")
            if options.format == "text":
                lines = [_shown_path(place), *leaks_to_text(leaks, where, limit)]
                descriptions.append(join_lines(lines))
            else:
                leaked = leaks_to_json(leaks, where, limit)
                descriptions.append({**_path_keys(place), "leaks": leaked})
    finally:
        compilers.close()
    if options.format == "text":
        emit("".join(map(str, descriptions)), options.output)
    else:
        _report_files(descriptions, options)
    return code


def _shown_path(place: Place) -> str:
    return place.path if place.revision is None else f"{place.revision}:{place.path}"


def read_or_fail(place: Place) -> Pyc:
    """Return a file with a header. Raises `Failure`."""
    from pycache_guard.verify.check import describe_invalid_header

    data = place.read()
    try:
        return read_pyc(data, parse_cache_name(place.path))
    except InvalidHeader as error:
        words = describe_invalid_header(data, error)[1]
        raise Failure(f"{_shown_path(place)}: {words}") from None


def print_diff(options: Namespace) -> int:
    """Compare two files; return 0 if they have the same code, 1 if not. Raises `Failure`."""
    from pycache_guard.inspection.diff import compare_files, diff_to_json, diff_to_text

    limit = DEFAULT_LIMIT if options.limit is None else options.limit
    pycs = []
    old, new = options.files
    for argument in options.files:
        pyc = read_or_fail(locate(argument))
        try:
            _ = pyc.code
        except MarshalError as error:
            raise Failure(f"{argument}: not well-formed: {error}") from None
        except UnsupportedFormat:
            pass
        pycs.append(pyc)
    try:
        diff = compare_files(*pycs)
    except UnsupportedFormat as error:
        raise Failure(str(error)) from None
    if options.format == "text":
        if not (options.quiet and diff.is_same):
            emit(join_lines(diff_to_text(old, new, diff, limit)), options.output)
    else:
        summary = Summary(2, "2 files compared")
        more = {"diff": diff_to_json(old, new, diff, limit)}
        write_report([], NAME, options, summary=summary, more=more)
    return 0 if diff.is_same else 1


def limit_of(text: str) -> int:
    """Return the argument of `--limit`. Raises `ArgumentTypeError`."""
    import argparse

    text = non_empty(text)
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number of lines")
    return int(text[:10])


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = report_parser(
        NAME,
        "Describe each file, and whether Python would run it; nothing in it is run.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=non_empty, help="a path, or REV:PATH in git"
    )
    view = parser.add_mutually_exclusive_group()
    view.add_argument("--code", action="store_true", help="add the tree of code objects")
    view.add_argument(
        "--strings", action="store_true", help="print every string, one per line, for scanners"
    )
    view.add_argument("--leaks", action="store_true", help="print what the source does not contain")
    view.add_argument("--diff", action="store_true", help="compare the code of two files")
    view.add_argument("--textconv", action="store_true", help="print the code for `git diff`")
    parser.add_argument(
        "--against",
        metavar="REV",
        type=non_empty,
        help="with --leaks: take the source from this revision",
    )
    add_python_option(parser, "with --leaks: an interpreter")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=limit_of,
        help=f"entries of each file (default: {DEFAULT_LIMIT}; with --strings all)",
    )
    options = parser.parse(argv)
    has_view = options.strings or options.leaks or options.diff
    if options.textconv and options.format != "text":
        parser.error("--textconv has no other format")
    if (options.against or options.python) and not options.leaks:
        parser.error("--against and --python go with --leaks")
    if options.limit is not None and not has_view:
        parser.error("--limit goes with --strings, --leaks or --diff")
    if has_view and options.format not in ("text", "json"):
        parser.error("--strings, --leaks and --diff have the formats text and json")
    if options.diff and len(options.files) != 2:
        parser.error("--diff compares two files")
    return options
