"""Reconcile: what every Alertmanager shows is compared with what we know, and the rest is mended.

Notifications alone leave gaps that never close: what ends while it is silenced is not told, what
fires again after that is not told either, and a receiver that was away is not told again.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from webhook import plain
from webhook.alert import SAME
from webhook.alertmanager import Seen, Shown, Silence, Untold
from webhook.stage import Bell
from webhook.store.reconciliation import (
    Appeared,
    Finding,
    Gone,
    Kind,
    Known,
    Silenced,
    Unsilenced,
)

EVERY = 15.0  # seconds between two rounds; a notification that was cut short rings the bell
PATIENCE = timedelta(seconds=120)  # twice the time after which Prometheus sends an alert again
SILENCES = 100  # that are asked for in a round; of the others it is only known that they exist
AT_ONCE = 200  # findings in one transaction: 0.1 s, in which no notification is stored
WHO_LIMIT, COMMENT_LIMIT = 60, 200  # characters of a stranger's text that we keep

Peers = Mapping[str, Seen | None]  # by address; None: it gave no clear answer
Reasons = Mapping[str, Silence | Untold | None]  # by the silence's id; None: it is gone

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """The first round in which no peer showed an episode."""

    since: float  # by a clock of ours that nobody sets, so that a wrong date ends nothing early
    at: datetime  # by the peers' clock, as all instants of an episode


Misses = Mapping[int, Miss]  # by the id of the episode


def missing(episodes: Sequence[Known], peers: Peers, before: Misses, *, now: float) -> Misses:
    """Return which *episodes* no peer shows, each with the first round that missed it.

    A round in which a peer did not answer begins no count, and ends those of what is shown.
    """
    shown = _shown(peers)
    away = [each for each in episodes if each.fingerprint not in shown]
    answers = [seen for seen in peers.values() if seen]
    if len(answers) < len(peers):
        return {each.id: before[each.id] for each in away if each.id in before}
    at = min(seen.at for seen in answers)
    return {each.id: before.get(each.id, Miss(since=now, at=at)) for each in away}


def compare(
    episodes: Sequence[Known],
    peers: Peers,
    misses: Misses,
    *,
    reasons: Reasons,
    now: float,
    patience: timedelta = PATIENCE,
) -> tuple[Finding, ...]:
    """Find what differs between the open *episodes* and what the *peers* show.

    Nothing is gone while a peer does not answer, or has not been up for *patience*: it is empty
    until Prometheus has sent everything again.
    """
    shown, known = _shown(peers), {each.fingerprint: each for each in episodes}
    found = [
        finding
        for fingerprint, copies in shown.items()
        if (finding := _told(known.get(fingerprint), copies, reasons))
    ]
    if any(seen is None or seen.up_for < patience for seen in peers.values()):
        return tuple(found)
    late = now - patience.total_seconds()
    gone = [
        Gone(episode=each, ended_at=misses[each.id].at)
        for each in episodes
        if each.id in misses and misses[each.id].since < late
    ]
    return (*found, *gone)


def _shown(peers: Peers) -> Mapping[str, list[Shown]]:
    copies: defaultdict[str, list[Shown]] = defaultdict(list)
    for seen in peers.values():
        for each in seen.alerts if seen else ():
            if not each.alert.ours:
                copies[each.alert.fingerprint].append(each)
    return copies


def _told(known: Known | None, copies: list[Shown], reasons: Reasons) -> Finding | None:
    last = max(copies, key=lambda each: each.alert.started_at)
    held = _hold(known, copies, reasons)
    # One peer that shows the start that we know vouches for it: another may have merged the
    # alerts of two Prometheus servers otherwise.
    if known is None or all(_began_after(known, each) for each in copies):
        return Appeared(
            alert=last.alert,
            updated_at=max(each.updated_at for each in copies),
            silenced=held,
            beside=known is not None,
        )
    if held == known.silenced:
        return None
    return Unsilenced(episode=known) if held is None else Silenced(episode=known, text=held)


def _began_after(known: Known, copy: Shown) -> bool:
    return copy.alert.started_at > known.started_at + SAME


def _hold(known: Known | None, copies: list[Shown], reasons: Reasons) -> str | None:
    """Say who silenced it until when; None when nobody did. Inhibition is no word of people."""
    named = {each for copy in copies for each in copy.silenced_by}
    found = [reason for each in named if (reason := reasons.get(each, Untold()))]
    silences = [each for each in found if isinstance(each, Silence)]
    if silences:
        return spoken(max(silences, key=lambda each: (each.ends_at, each.who, each.comment)))
    if found:  # better what we were once told than that something is there
        return (known and known.silenced) or "silenced in Alertmanager"
    return None


def spoken(silence: Silence) -> str:
    """Say a silence to people: `silenced until 14:03 UTC by alice: planned work`."""
    same_day = silence.ends_at.date() == silence.starts_at.date()
    until = f"{silence.ends_at:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC"
    who, comment = plain.line(silence.who, WHO_LIMIT), plain.line(silence.comment, COMMENT_LIMIT)
    return f"silenced until {until}{who and f' by {who}'}{comment and f': {comment}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What reconciling needs from the world."""

    known: Callable[[], Awaitable[Sequence[Known]]]
    seen: Callable[[str], Awaitable[Seen | None]]  # by the peer's address
    silence: Callable[[str, str], Awaitable[Silence | Untold | None]]  # peer, id
    take: Callable[[Sequence[Finding]], Awaitable[Counter[Kind]]]
    monotonic: Callable[[], float]
    count: Callable[[Kind], None]
    failed: Callable[[], None]  # a peer gave no answer
    succeeded: Callable[[], None]  # at least one did, and was compared
    news: Callable[[], None]  # wakes the other stages


class Rounds:
    """Goes round the peers, and remembers between two rounds what was missed when."""

    def __init__(
        self,
        effects: Effects,
        peers: Callable[[], Sequence[str]],
        bell: Bell,
        *,
        patience: timedelta = PATIENCE,
        every: float = EVERY,
    ) -> None:
        self._effects, self._peers, self._bell = effects, peers, bell
        self._patience, self._every = patience, every
        self._misses: Misses = {}

    async def once(self) -> None:
        """Compare once, then wait for the next round, or for the bell."""
        await self.compare()
        await self._bell.wait(self._every)

    async def compare(self) -> None:
        """Ask every peer, and bring into the store what it shows."""
        effects = self._effects
        # Before the peers are asked: what a notification changes meanwhile is right already, and
        # what a peer shows after we were told of its end is worth a second look.
        episodes = await effects.known()
        asked = self._peers()
        answers = await asyncio.gather(*map(effects.seen, asked))
        peers = dict(zip(asked, answers, strict=True))
        for each in answers:
            if each is None:
                effects.failed()
        if not any(answers):
            return
        now = effects.monotonic()
        self._misses = missing(episodes, peers, self._misses, now=now)
        reasons = await self._reasons(peers)
        found = compare(
            episodes, peers, self._misses, reasons=reasons, now=now, patience=self._patience
        )
        if found:
            await self._take(found)
        effects.succeeded()

    async def _reasons(self, peers: Peers) -> Reasons:
        of = {
            identity: peer
            for peer, seen in peers.items()
            for shown in (seen.alerts if seen else ())
            for identity in shown.silenced_by
        }
        asked = dict(islice(sorted(of.items()), SILENCES))
        told = await asyncio.gather(
            *(self._effects.silence(peer, identity) for identity, peer in asked.items())
        )
        return dict(zip(asked, told, strict=True))

    async def _take(self, found: Sequence[Finding]) -> None:
        counted: Counter[Kind] = Counter()
        for place in range(0, len(found), AT_ONCE):
            counted += await self._effects.take(found[place : place + AT_ONCE])
        for kind in counted.elements():
            self._effects.count(kind)
        if counted:
            logger.info(
                "reconciled", extra={"data": {str(kind): many for kind, many in counted.items()}}
            )
            self._effects.news()
