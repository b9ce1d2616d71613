"""What a demo project reports of itself: figures that move a little, and what faults do to them.

Everything here is a pure function of the project's name, the seconds since its start and the
faults it suffers, so two runs of a demo show the same curves.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that swings by *swing* around *middle*, given with *digits* after the point."""

    middle: float
    swing: float
    digits: int = 1


BUSINESS: dict[str, dict[str, Figure]] = {
    "email-blast": {
        "response_rate": Figure(0.034, 0.004, 4),
        "delivery_rate": Figure(0.972, 0.008, 4),
        "cost_per_lead_usd": Figure(4.2, 0.5, 2),
    },
    "chatbot": {
        "ticket_reduction": Figure(0.41, 0.03, 3),
        "customer_satisfaction": Figure(4.3, 0.2, 2),
        "response_time_seconds": Figure(1.4, 0.3, 2),
    },
    "social-media": {
        "engagement_rate": Figure(0.057, 0.008, 4),
        "posting_consistency": Figure(0.93, 0.03, 3),
        "time_saved_hours": Figure(11.5, 1.5, 1),
    },
}

CPU, CPU_LOADED, CPU_PAUSED = Figure(27.0, 6.0), Figure(93.0, 4.0), Figure(2.0, 1.0)  # percent
MEMORY = Figure(42.0, 2.0)  # percent
ERRORS, ERRORS_BURST = Figure(0.6, 0.4, 2), Figure(14.0, 3.0, 2)  # percent
REQUESTS = Figure(38.0, 9.0)  # a second
QUEUE = Figure(24.0, 15.0, 0)  # entries

LEAK_SECONDS, LEAKED = 20.0, 53.0  # so many percent of the memory are lost in so many seconds
CACHE_RATE, CACHE_LIMIT = 65_536, 64 * 1024 * 1024  # bytes a second, bytes

Suffering = Mapping[str, float]  # a fault's name -> the seconds since it began


def metrics(
    name: str,
    elapsed: float,
    suffering: Suffering,
    *,
    paused: bool,
    error_percent: float | None = None,
) -> dict[str, object]:
    """Return what `/metrics` says *elapsed* seconds after the start. A paused project idles.

    With *error_percent*, the errors of a burst are exactly so many.
    """
    cpu = CPU_PAUSED if paused else CPU_LOADED if "cpu_load" in suffering else CPU
    burst = ERRORS_BURST if error_percent is None else Figure(error_percent, 0.0, 9)
    errors = burst if "error_burst" in suffering else ERRORS
    idle = Figure(0.0, 0.0)
    return {
        "cpu_percent": _at(cpu, name, "cpu", elapsed),
        "memory_percent": _memory(name, elapsed, suffering),
        "error_percent": _at(idle if paused else errors, name, "errors", elapsed),
        "requests_per_second": _at(idle if paused else REQUESTS, name, "requests", elapsed),
        "business": {
            key: _at(figure, name, key, elapsed) for key, figure in BUSINESS[name].items()
        },
    }


def queue_length(name: str, elapsed: float) -> int:
    """Return how many entries wait to be worked on."""
    return int(_at(QUEUE, name, "queue", elapsed))


def cache_bytes(since_cleared: float) -> int:
    """Return the size of a cache that was empty *since_cleared* seconds ago."""
    return min(CACHE_LIMIT, int(since_cleared * CACHE_RATE))


def _memory(name: str, elapsed: float, suffering: Suffering) -> float:
    leaking = suffering.get("memory_leak", 0.0)
    leaked = LEAKED * min(leaking / LEAK_SECONDS, 1.0)
    return round(_at(MEMORY, name, "memory", elapsed) + leaked, MEMORY.digits)


def _at(figure: Figure, name: str, key: str, elapsed: float) -> float:
    """Return *figure* at an instant: two slow waves, each project and key at a place of its own."""
    phase = crc32(f"{name}/{key}".encode()) % 628 / 100
    wave = 0.7 * math.sin(elapsed / 47 + phase) + 0.3 * math.sin(elapsed / 11 + 3 * phase)
    return round(figure.middle + figure.swing * wave, figure.digits)
