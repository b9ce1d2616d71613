"""A shard: which of several exporters watches which project."""

import re
from dataclasses import dataclass
from hashlib import blake2b

from orchestrator.errors import OrchestratorError

MOST = 1000  # exporters


class BadShard(OrchestratorError):
    """The text names no shard."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no shard; write 1/3, 2/3 or 3/3 for three exporters")


@dataclass(frozen=True, slots=True)
class Shard:
    """The exporter *number* (from 1) out of *count*."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, project: str) -> bool:
        """Tell whether the project of this name is watched here, and so nowhere else.

        Rendezvous hashing: of all exporters the one with the highest weight for the name has it,
        so one more exporter takes its share and nothing else moves.
        https://en.wikipedia.org/wiki/Rendezvous_hashing
        """
        if self.count == 1:
            return True
        weights = {number: _weight(number, project) for number in range(1, self.count + 1)}
        return max(weights, key=weights.__getitem__) == self.number


WHOLE = Shard(1, 1)


def shard(text: str) -> Shard:
    """Read `2/3`; raise BadShard."""
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count <= MOST:
        raise BadShard(text)
    return Shard(number, count)


def _weight(number: int, project: str) -> bytes:
    return blake2b(f"{number}/{project}".encode(), digest_size=8).digest()
