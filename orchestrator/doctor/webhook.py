"""The webhook: does it take alerts, is it of our version, and does Watchdog come."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from orchestrator import hub
from orchestrator.doctor import certificate
from orchestrator.doctor.finding import Finding, fail, ok, warn
from orchestrator.doctor.question import Asker, clock, wrong
from orchestrator.hub import Address, Json, Refused, Unreachable
from orchestrator.version import VERSION

ABOUT = "webhook"
WATCHDOG_WITHIN = 180.0  # seconds; the webhook itself raises the alarm then


async def examine(ask: Asker, address: Address) -> list[Finding]:
    """Look at the webhook, as who shows this token."""
    found = await _certificate(ask, address)
    ready = await ask.get(f"{address.url}/-/ready", trust=address.trust)
    if not ready.status:
        do = "start it, or name it with --url, and whom to trust with --ca-file"
        return [*found, fail(ABOUT, f"{address.url}: {wrong(ready)}", do)]
    found += [_ready(address.url, ready.good, ready.text)]
    found += clock(ABOUT, "the webhook", ready.ahead)
    try:
        seen = await hub.ask(ask.session, address, "GET", "/api/v1/fleet")
    except Refused as error:
        do = "show a token with --token-file, so that the rest can be looked at"
        return [*found, warn(ABOUT, f"it refuses to tell how it is: {error}", do)]
    except Unreachable as error:
        return [*found, fail(ABOUT, str(error), "is that a webhook of orchestrator?")]
    return [*found, *_within(seen)]


async def _certificate(ask: Asker, address: Address) -> list[Finding]:
    parts = urlsplit(address.url)
    if parts.scheme != "https":
        return []
    where = (parts.hostname or "", parts.port or 443)
    return await certificate.examine(ABOUT, where, address.trust, ask.now())


def _ready(url: str, good: bool, text: str) -> Finding:  # noqa: FBT001  of one caller
    if good:
        return ok(ABOUT, f"{url} takes alerts, and every stage goes round")
    return fail(ABOUT, f"{url} is not ready: {text}", "its log and its /metrics say more")


def _within(seen: Json) -> Iterator[Finding]:
    try:
        own = seen["webhook"]
        yield _version(str(own["version"]))
        if own["dry_run"]:
            do = "start it without --dry-run when you have seen enough"
            yield warn(ABOUT, "it runs dry: nothing is repaired, and nobody is told", do)
        if not own["config_read"]:
            do = "orchestrator check says what is wrong with it"
            yield fail(ABOUT, "it has refused the newest orchestrator.yml", do)
        yield _watchdog(own["watchdog_seconds"])
    except (LookupError, TypeError):
        yield fail(ABOUT, "its answer is of another version", "bring both to the same version")


def _version(theirs: str) -> Finding:
    if theirs == VERSION:
        return ok(ABOUT, f"it is of our version, {VERSION}")
    said = f"it is of version {theirs}, and this command of {VERSION}"
    return warn(ABOUT, said, "bring both to the same version")


def _watchdog(ago: float | None) -> Finding:
    if ago is not None and ago <= WATCHDOG_WITHIN:
        return ok(ABOUT, f"the alert Watchdog came {ago:.0f} s ago, so alerts arrive")
    since = "since it started" if ago is None else f"for {ago:.0f} s"
    do = "Alertmanager has to route Watchdog to the webhook, too (rules/alertmanager.yml)"
    return fail(ABOUT, f"the alert Watchdog has not come {since}: do alerts arrive?", do)
