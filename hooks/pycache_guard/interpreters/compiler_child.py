"""Compile sources and never run them: the program of a compiler process.

CPython 2.7 and 3.x and PyPy run this file as `python -c THIS SECONDS BYTES`, with limits of processor time
for each source and of memory. It is read as data and never imported by the package. It must stay within
the syntax and the names of Python 2.7: no annotations, no imports from `__future__`, no f-strings.

stdout begins with a frame that identifies the interpreter. Then each request on stdin gets one frame:
  request: optimization level (1 byte), lengths of name (2) and source (4), name, source
  frame:   kind (1 byte), length of the payload (4), payload
Numbers are unsigned and big-endian. Kinds are `=` for the source hash (1 byte of length, then the hash)
and marshalled code, `!` for an invalid source, `?` for a limit of the compiler, `i` for the identity of
the interpreter. Without requests only the identity is written.
"""

import sys

# `-c` puts the current directory first.
sys.path[:] = [path for path in sys.path if path not in ("", ".")]

import marshal
import struct

try:
    import resource
except ImportError:  # pragma: win32 cover # the parent measures real time
    resource = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        IO,  # noqa: F401 - used in type comments
        Any,  # noqa: F401 - used in type comments
    )


def lower(name, value):
    # type: (str, int) -> None
    """Lower a soft limit if the platform has it."""
    try:
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if most < 0 else min(value, most), most))
    except (AttributeError, EnvironmentError, ValueError, getattr(resource, "error", OSError)):
        pass


def allow(seconds):
    # type: (int) -> None
    """Allow this much processor time from now on."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        lower("RLIMIT_CPU", int(used.ru_utime + used.ru_stime) + seconds + 1)


def identity():
    # type: () -> bytes
    """Return magic number, implementation, version, cache tag and executable, separated by newlines."""
    try:
        from importlib.util import MAGIC_NUMBER

        magic = MAGIC_NUMBER
    except ImportError:  # pragma: <3.4 cover
        import imp  # type: ignore[import-not-found, unused-ignore]  # removed in 3.12

        magic = imp.get_magic()
    kind = getattr(sys, "implementation", None)
    # Before Python 3.3: ("CPython", branch, revision).
    name = getattr(kind, "name", None) or getattr(sys, "subversion", ("",))[0].lower()
    version = ".".join(map(str, sys.version_info[:3]))
    words = "\n".join((name, version, getattr(kind, "cache_tag", None) or "", ""))
    executable = getattr(sys, "executable", None) or ""
    if sys.version_info >= (3,):  # pragma: no branch
        executable = executable.encode("utf-8", "surrogateescape")
    return bytes(magic + words.encode("ascii", "replace") + executable)


def hash_source(source):
    # type: (bytes) -> bytes
    """Return the length of the source hash (PEP 552) and the hash; length 0 before CPython 3.7."""
    try:
        from importlib.util import source_hash
    except ImportError:  # pragma: <3.7 cover
        return b"\0"
    digest = source_hash(source)
    return struct.pack(">B", len(digest)) + digest


def compile_source(source, name, level):
    # type: (bytes, str, int) -> tuple[bytes, bytes]
    """Return kind and payload of the answer."""
    options = (level,) if sys.version_info >= (3, 2) else ()
    try:
        # The name keeps a second reference, as in import: marshal does not set FLAG_REF for an object
        # with one reference, and then the bytes differ.
        code = compile(source, name, "exec", 0, True, *options)
        return b"=", hash_source(source) + marshal.dumps(code)
    except Exception:
        error = sys.exc_info()[1]
    # RecursionError is a RuntimeError. Older parsers raise MemoryError if brackets are nested too deeply.
    limits = isinstance(error, (MemoryError, RuntimeError))
    line = getattr(error, "lineno", None)
    words = type(error).__name__ + (", line %d" % line if line else "")
    return b"?" if limits else b"!", words.encode("ascii", "replace")


def serve(requests, answers, seconds):
    # type: (IO[bytes], IO[bytes], int) -> None
    """Identify the interpreter, then handle requests until their end."""

    def answer(kind, payload):
        # type: (bytes, bytes) -> None
        answers.write(kind + struct.pack(">I", len(payload)) + payload)
        answers.flush()

    answer(b"i", identity())
    while True:
        head = requests.read(7)
        if len(head) < 7:
            return
        level, name_length, length = struct.unpack(">BHI", head)
        name = requests.read(name_length)  # type: Any
        source = requests.read(length)
        allow(seconds)
        if sys.version_info >= (3,):  # pragma: no branch
            name = name.decode("utf-8", "surrogateescape")
        answer(*compile_source(source, name, level))


def main():
    # type: () -> None
    """Limit this process, and serve stdin and stdout."""
    seconds, size = int(sys.argv[1]), int(sys.argv[2])
    for limit, value in (("RLIMIT_AS", size), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        lower(limit, value)
    if sys.platform == "win32":  # pragma: win32 cover
        import msvcrt

        for descriptor in (0, 1):
            msvcrt.setmode(descriptor, 0x8000)  # os.O_BINARY
    requests = getattr(sys.stdin, "buffer", sys.stdin)  # type: Any
    answers = getattr(sys.stdout, "buffer", sys.stdout)  # type: Any
    serve(requests, answers, seconds)


if __name__ == "__main__":
    main()
