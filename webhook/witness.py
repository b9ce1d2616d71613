"""The witness: what Prometheus has kept of the audit, as heads to compare the audit with."""

import math
from collections.abc import Mapping
from typing import Any

import aiohttp

from orchestrator.errors import OrchestratorError
from webhook.audit import SHORTEST, Head

ANSWER_WITHIN = aiohttp.ClientTimeout(total=30)  # 30 days of two series, from the disk
DAYS = 30
LOOKS = ((DAYS * 86_400, 3_600), (6 * 3_600, 30))  # seconds back, and from one look to the next
ROWS, HEAD = "webhook_audit_rows", "webhook_audit_head"

NO_ANSWER = (
    aiohttp.ClientError,
    TimeoutError,
    ArithmeticError,  # a count that is infinite
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)

Series = Mapping[frozenset[tuple[str, str]], Mapping[float, float]]  # labels: instant: value


class Unheard(OrchestratorError):
    """Prometheus cannot be asked, or knows nothing of this audit."""


async def heads(session: aiohttp.ClientSession, url: str, *, instance: str = "") -> list[Head]:
    """Return the heads that the Prometheus at *url* saw within 30 days; raise Unheard.

    *instance* is the label of the webhook, where Prometheus watches several with different
    databases. The most rows that there ever were come without a hash.
    """
    try:
        found = await _seen(session, url, _selector(instance))
    except NO_ANSWER as error:
        raise Unheard(f"{url}: Prometheus gave no answer: {str(error) or 'in time'}") from error
    if not found:
        raise Unheard(f"{url}: Prometheus knows no {ROWS}{_selector(instance)} of {DAYS} days")
    return found


def _selector(instance: str) -> str:
    quoted = instance.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{instance="{quoted}"}}' if instance else ""


async def _seen(session: aiohttp.ClientSession, url: str, selector: str) -> list[Head]:
    now = float((await _asked(session, f"{url}/api/v1/query", {"query": "time()"}))[1])
    found = set[Head]()
    for back, step in LOOKS:
        span = {"start": str(now - back), "end": str(now), "step": str(step)}
        rows, head = [
            await _range(session, url, f"{name}{selector}", span) for name in (ROWS, HEAD)
        ]
        found |= _paired(rows, head)
    ever = f"{selector}[{DAYS}d]"
    rows, head = [
        await _now(session, url, f"last_over_time({name}{ever})") for name in (ROWS, HEAD)
    ]
    most = await _now(session, url, f"max_over_time({ROWS}{ever})")
    found |= _paired(rows, head)
    found |= {Head(rows=int(many), hash="") for each in most.values() for many in each.values()}
    return sorted(found, key=str)


def _paired(rows: Series, heads: Series) -> set[Head]:
    """Pair what one scrape has brought: the two stand on one page, so of one instant."""
    return {
        Head(rows=int(many), hash=f"{int(heads[labels][at]):0{SHORTEST}x}")
        for labels, values in rows.items()
        for at, many in values.items()
        if at in heads.get(labels, {}) and math.isfinite(many)
    }


async def _range(
    session: aiohttp.ClientSession, url: str, query: str, span: Mapping[str, str]
) -> Series:
    found = await _asked(session, f"{url}/api/v1/query_range", {"query": query, **span})
    return {
        _labels(each): {float(at): float(value) for at, value in each["values"]} for each in found
    }


async def _now(session: aiohttp.ClientSession, url: str, query: str) -> Series:
    found = await _asked(session, f"{url}/api/v1/query", {"query": query})
    return {_labels(each): {0.0: float(each["value"][1])} for each in found}


def _labels(series: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset(each for each in series["metric"].items() if each[0] != "__name__")


async def _asked(session: aiohttp.ClientSession, url: str, query: Mapping[str, str]) -> Any:  # noqa: ANN401  what JSON holds
    async with session.get(url, params=query, timeout=ANSWER_WITHIN) as response:
        response.raise_for_status()
        return (await response.json())["data"]["result"]
