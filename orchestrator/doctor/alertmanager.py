"""Alertmanager: does each peer answer, know our receiver, and know the other peers."""

from asyncio import gather
from collections.abc import Iterator

from orchestrator.config import Config
from orchestrator.doctor.finding import Finding, fail, ok, warn
from orchestrator.doctor.question import Asker, Reply, clock, wrong

ABOUT = "alertmanager"


async def examine(ask: Asker, config: Config) -> list[Finding]:
    """Look at every peer."""
    found = await gather(*(_peer(ask, each, config) for each in config.alertmanagers))
    return [finding for each in found for finding in each]


async def _peer(ask: Asker, peer: str, config: Config) -> list[Finding]:
    status, receivers = await gather(
        ask.get(f"{peer}/api/v2/status"), ask.get(f"{peer}/api/v2/receivers")
    )
    said = _said(status)
    if said is None:
        why = "it answers, and not as an Alertmanager" if status.good else wrong(status)
        do = "start it, or correct `alertmanagers` in orchestrator.yml; people are told through it"
        return [fail(ABOUT, f"{peer}: {why}", do)]
    version, cluster, others = said
    return [
        ok(ABOUT, f"{peer} answers, version {version}"),
        *clock(ABOUT, peer, status.ahead),
        *_cluster(peer, cluster, others, len(config.alertmanagers)),
        *_receiver(peer, _names(receivers), config.receiver),
    ]


def _said(reply: Reply) -> tuple[str, str, int] | None:
    """Return its version, the state of its cluster, and how many peers there are in it."""
    try:
        cluster = reply.data["cluster"]
        peers = cluster.get("peers") or []
        return str(reply.data["versionInfo"]["version"]), str(cluster["status"]), len(peers)
    except (LookupError, TypeError, AttributeError):
        return None


def _names(reply: Reply) -> list[str] | None:
    try:
        return [str(each["name"]) for each in reply.data] if reply.good else None
    except (LookupError, TypeError):
        return None


def _cluster(peer: str, status: str, peers: int, configured: int) -> Iterator[Finding]:
    if configured == 1:
        return
    do = "start them with --cluster.peer: else people are told everything more than once"
    if status == "disabled":
        yield warn(ABOUT, f"{peer} is in no cluster, and {configured} are configured", do)
    elif status == "settling":
        yield warn(ABOUT, f"{peer} has just started, its cluster settles", "ask again in a minute")
    elif peers < configured:
        yield warn(ABOUT, f"{peer} sees {peers} of {configured} peers", do)


def _receiver(peer: str, names: list[str] | None, wanted: str) -> Iterator[Finding]:
    if names is None:
        yield fail(ABOUT, f"{peer} does not tell its receivers", "look at its log")
    elif wanted in names:
        yield ok(ABOUT, f"{peer} has the receiver {wanted}")
    else:
        do = "take it from rules/alertmanager.yml, or name yours with `receiver`"
        said = f"{peer} has no receiver {wanted}, so no alert comes to the webhook"
        yield fail(ABOUT, said, do)
