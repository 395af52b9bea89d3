"""The table of all known magic numbers. A new Python version is one row.

# hot path: see tests/test_budgets.py

It imports nothing. Sources: CPython `Include/internal/pycore_magic_number.h` and, before
3.13, `Lib/importlib/_bootstrap_external.py` and `Python/import.c`; PyPy
`pypy/interpreter/pycode.py` and `pypy/module/imp/importing.py`; GraalPy `PythonLanguage.java`;
RustPython `crates/vm/src/version.rs`; for the oldest ones, `xdis/magics.py`.
"""

from __future__ import annotations

CRLF = b"\r\n"

#: Implementation, language version, header length, numbers of pre-releases, numbers of releases.
#: Some numbers of pre-releases were used twice; those of releases are unique.
ROWS: tuple[tuple[str, str, int, tuple[int, ...] | range, tuple[int, ...]], ...] = (
    ("CPython", "1.3", 8, (), (11913,)),
    ("CPython", "1.4", 8, (), (5892,)),
    ("CPython", "1.5", 8, (), (20121,)),
    ("CPython", "1.6", 8, (), (50428,)),
    ("CPython", "2.0", 8, (), (50823,)),
    ("CPython", "2.1", 8, (), (60202,)),
    ("CPython", "2.2", 8, (), (60717,)),
    ("CPython", "2.3", 8, (62021,), (62011,)),
    ("CPython", "2.4", 8, (62041, 62051), (62061,)),
    ("CPython", "2.5", 8, (62071, 62081, 62091, 62092, 62101, 62111, 62121), (62131,)),
    ("CPython", "2.6", 8, (62151,), (62161,)),
    ("CPython", "2.7", 8, (62171, 62181, 62191, 62201), (62211,)),
    ("CPython", "3.0", 8, (3000, 3010, 3020, 3030, 3040, 3050, 3060, 3061), ()),
    ("CPython", "3.0", 8, (3071, 3081, 3091, 3101, 3103, 3111), (3131,)),
    ("CPython", "3.1", 8, (3141,), (3151,)),
    ("CPython", "3.2", 8, (3160, 3170), (3180,)),
    # The size of the source joined the header (bpo-13645).
    ("CPython", "3.3", 8, (3190, 3200), ()),
    ("CPython", "3.3", 12, (3210, 3220), (3230,)),
    ("CPython", "3.4", 12, (3250, 3260, 3270, 3280, 3290, 3300), (3310,)),
    ("CPython", "3.5", 12, (3320, 3330, 3340), (3350, 3351)),
    ("CPython", "3.6", 12, (3360, 3361, *range(3370, 3374), *range(3375, 3379)), (3379,)),
    # The flags joined the header (PEP 552).
    ("CPython", "3.7", 12, (3390, 3391), ()),
    ("CPython", "3.7", 16, (3392, 3393), (3394,)),
    ("CPython", "3.8", 16, (3400, 3401, 3410, 3411, 3412), (3413,)),
    ("CPython", "3.9", 16, range(3420, 3425), (3425,)),
    ("CPython", "3.10", 16, range(3430, 3439), (3439,)),
    ("CPython", "3.11", 16, range(3450, 3495), (3495,)),
    ("CPython", "3.12", 16, range(3500, 3531), (3531,)),
    ("CPython", "3.13", 16, range(3550, 3571), (3571,)),
    ("CPython", "3.14", 16, range(3600, 3627), (3627,)),
    ("CPython", "3.15", 16, range(3650, 3666), (3666,)),
    # Python 2.5 of the Dropbox client; its code is encrypted.
    ("Dropbox", "2.5", 8, (), (62135,)),
    ("PyPy", "2.7", 8, (), (62218,)),
    ("PyPy", "3.2", 8, (), (48,)),
    ("PyPy", "3.3", 12, (), (64,)),
    ("PyPy", "3.5", 12, (), (112,)),
    ("PyPy", "3.6", 12, (), (160, 192)),
    ("PyPy", "3.7", 16, (), (224, 240)),
    ("PyPy", "3.8", 16, (), (256,)),
    ("PyPy", "3.9", 16, (), (320, 336)),
    ("PyPy", "3.10", 16, (), (384,)),
    ("PyPy", "3.11", 16, (), (400, 416, 432)),
    ("GraalPy", "3.8", 16, (), (21260,)),
    ("GraalPy", "3.10", 16, (), (21270, 21280)),
    ("GraalPy", "3.11-3.12", 16, (), (21290,)),
    ("GraalPy", "3.13", 16, (), (21330,)),
    ("RustPython", "3", 16, (), (2994, 2997)),
)

#: Magic numbers that do not end with CRLF.
IRREGULAR_MAGICS = {
    b"\x02\x99\x99\x00": ("CPython", "1.0", 8, True),
    b"\x03\x99\x99\x00": ("CPython", "1.1-1.2", 8, True),
}

#: From 3.11 on, the numbers of CPython 3.n start at 2900 + 50 * n, so the version of a number is known
#: before it has a row (`pycore_magic_number.h`).
CPYTHON_RANGE = range(3450, 5000)
#: The largest number that has a row. Code with a larger number is not read (`code_layouts`).
NEWEST_CPYTHON = max(
    number for *_, releases in ROWS for number in releases if number in CPYTHON_RANGE
)
#: The numbers of GraalPy are 21000 + 10 * BYTECODE_VERSION.
GRAALPY_RANGE = range(21000, 22000, 10)
#: With `-U`, CPython 1.6 to 2.7 wrote the number that follows its own.
CPYTHON_UNICODE = range(50429, 62213)

#: Magic → implementation, version, header length, whether a release wrote it.
TABLE: dict[bytes, tuple[str, str, int, bool]] = {
    number.to_bytes(2, "little") + CRLF: (implementation, version, header_length, released)
    for implementation, version, header_length, prereleases, releases in ROWS
    for numbers, released in ((prereleases, False), (releases, True))
    for number in numbers
}
TABLE.update(IRREGULAR_MAGICS)


def find_magic(magic: bytes) -> tuple[str, str, int, bool] | None:
    """Return the row of `TABLE` for the 4 bytes `magic`, or one by the ranges above; None if unknown.

    The row is implementation, version, header length, and whether a release wrote it.
    """
    if magic in TABLE or magic[2:] != CRLF:
        return TABLE.get(magic)
    number = int.from_bytes(magic[:2], "little")
    if number in CPYTHON_RANGE:
        return "CPython", f"3.{(number - 2900) // 50}", 16, False
    if number in GRAALPY_RANGE:
        return "GraalPy", "3", 16, False
    if number in CPYTHON_UNICODE:
        return TABLE.get((number - 1).to_bytes(2, "little") + CRLF)
    return None
