"""A single probe: one question to one project now, for those who want to probe at scrape."""

import json
import math
from dataclasses import dataclass

import aiohttp
from prometheus_client import CollectorRegistry, Gauge

from exporter import reading
from exporter.board import Endpoint
from exporter.prober import Turn
from exporter.reading import Reading
from orchestrator.answer import IN_WORDS, Answer
from orchestrator.fetch import fetch, within
from orchestrator.health import judge
from orchestrator.metrics import METRICS

MARGIN = 0.5  # seconds before Prometheus gives up; blackbox_exporter's --timeout-offset
LEAST = 0.1  # seconds
SHOWN = 2000  # characters of a stranger's body that are shown to a person


@dataclass(frozen=True, slots=True)
class Single:
    """What one question brought."""

    turn: Turn
    answer: Answer
    reading: Reading
    state: str = ""  # of a project that was asked for its health


async def ask(session: aiohttp.ClientSession, turn: Turn, *, scrape_timeout: str = "") -> Single:
    """Ask over a connection of its own, within the project's timeout and the scrape's.

    *scrape_timeout* is the header X-Prometheus-Scrape-Timeout-Seconds as it came. Raises
    fetch.OutOfResources.
    """
    answer = await fetch(session, within(turn.question, allowed(scrape_timeout)), fresh=True)
    if turn.endpoint is Endpoint.HEALTH:
        return _health(turn, answer)
    if turn.endpoint is Endpoint.STATUS:
        return Single(turn, answer, reading.of_status(answer))
    return Single(turn, answer, reading.of_metrics(answer, turn.project.metrics))


def allowed(scrape_timeout: str) -> float:
    """Return how many seconds a scrape leaves for the probe; infinity when it does not say."""
    try:
        stated = float(scrape_timeout)
    except ValueError:
        return math.inf
    if math.isnan(stated) or stated <= MARGIN:
        return math.inf
    return max(stated - MARGIN, LEAST)


def registry(single: Single) -> CollectorRegistry:
    """Build the metrics of this probe and nothing else, so that two at once are both right.

    They have no labels: who was asked is a label of the target, which /sd gives.
    """
    made = CollectorRegistry()
    success = Gauge("probe_success", "Whether the answer was one of the contract.", registry=made)
    success.set(single.reading.good)
    took = Gauge("probe_duration_seconds", "How long the question took.", registry=made)
    took.set(single.answer.seconds)
    status = Gauge("probe_http_status_code", "Status of the answer, 0 for none.", registry=made)
    status.set(single.answer.status)
    for metric, value in single.reading.values.items():
        about = METRICS[metric].help if metric in METRICS else "A figure of the project's own."
        Gauge(metric, about, registry=made).set(value)
    return made


def explained(single: Single) -> str:
    """Tell a person everything about this probe, and no secret."""
    answer, question = single.answer, single.turn.question
    wrong = [f"  {reason}: {IN_WORDS[reason]}" for reason in single.reading.wrong]
    return "\n".join(
        [
            f"project:      {single.turn.project.name}",
            f"asked:        GET {question.url}, at most {question.timeout.total:g} s",
            f"took:         {answer.seconds:.3f} s",
            f"status:       {answer.status or 'no answer'}",
            f"Content-Type: {json.dumps(answer.media_type) if answer.media_type else 'none'}",
            f"body:         {_printable(answer.body)}",
            f"good:         {'yes' if single.reading.good else 'no'} {single.state}".rstrip(),
            "wrong:        nothing" if not wrong else "wrong:",
            *wrong,
            "metrics:",
            *(f"  {name} {value!r}" for name, value in single.reading.values.items()),
            "",
        ]
    )


def _health(turn: Turn, answer: Answer) -> Single:
    probe = judge(answer, slow_after=turn.project.slow_after.total_seconds())
    wrong = (probe.reason,) if probe.reason else ()
    found = Reading(good=probe.up, wrong=wrong)
    return Single(turn, answer, found, state=str(probe.state))


def _printable(body: bytes) -> str:
    """Quote a stranger's bytes as JSON does: no control character reaches a terminal."""
    return json.dumps(body[:SHOWN].decode("utf-8", "replace"))
