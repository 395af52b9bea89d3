"""Have the engine of `verify-bytecode` compare what an archive ships with its sources."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.archives.member import Archive
    from pycache_guard.compilers.pool import Compilers
    from pycache_guard.distributions.origin import Shipped
    from pycache_guard.findings import Finding


class Comparison:
    """Compares, for one archive after the other; compilers are looked for when one needs them."""

    def __init__(self) -> None:
        self._compilers: Compilers | None = None

    def doubts(
        self, archive: Archive, pairs: Iterable[tuple[Shipped, str, int]]
    ) -> tuple[dict[str, str], list[str]]:
        """Return what speaks against bytecode, by its name, and what could not be read.

        `pairs` are bytecode, and name and size of its source. Raises `Unjudgeable` where the
        archive cannot be read to its end.
        """
        # Only an archive that ships bytecode with its source pays for these.
        from pycache_guard.compilers.pool import Compilers
        from pycache_guard.distributions.pairs import LARGEST_HELD
        from pycache_guard.distributions.pairs import Pair
        from pycache_guard.distributions.pairs import Pairs
        from pycache_guard.verifying.verify import verify

        held = Pairs(Pair(each.name, each.size, source, size) for each, source, size in pairs)
        held.fill(archive)
        if self._compilers is None:
            self._compilers = Compilers()
        doubts: dict[str, str] = {}
        # Of two that speak against one, the later: that is what comparing told.
        for finding in verify(held, self._compilers).findings:
            words, path = told(finding), finding.path
            assert path is not None
            if words:
                doubts[path] = words
        crowded = f"cannot be compared: more than {LARGEST_HELD >> 20} MiB with what comes first"
        return {**doubts, **dict.fromkeys(held.left_out, crowded)}, held.failures

    def close(self) -> None:
        """End the compilers."""
        if self._compilers is not None:
            self._compilers.close()


def told(finding: Finding) -> str:
    """Put what `verify-bytecode` says into the words for an archive; nothing for nothing.

    That it is unchecked is said by the header; so is the version, which its name may belie.
    """
    rule = finding.rule.name
    if rule in ("PYC203", "PYC207"):
        return ""
    return (
        f"not of its source: {finding.message}" if rule in ("PYC201", "PYC202") else finding.message
    )
