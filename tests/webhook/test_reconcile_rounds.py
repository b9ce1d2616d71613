"""The rounds: who is asked, what is counted, and how long an episode may be missed."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.alertmanager import Seen, Shown, Silence
from webhook.reconcile import Effects, Rounds
from webhook.stage import Bell
from webhook.store.reconciliation import Appeared, Finding, Kind, Known

KNOWN = Known(id=1, fingerprint="f", started_at=NOW, seen_at=NOW, silenced=None)
SILENCE = Silence(who="alice", comment="", starts_at=NOW, ends_at=NOW + 60 * SECOND)


def _shown(fingerprint: str = "f", **changes: Any) -> Shown:  # noqa: ANN401  any field of it
    alert = make.notification(make.alert(fingerprint=fingerprint)).alerts[0]
    return Shown(alert=alert, updated_at=NOW, **changes)


def _seen(*shown: Shown) -> Seen:
    return Seen(alerts=shown, at=NOW, up_for=3600 * SECOND)


HERE = _shown()


class World:
    """Peers as the test sets them, and everything that a round did to the rest of the world."""

    def __init__(self, *known: Known, **peers: Seen | None) -> None:
        self.known, self.peers = known, peers
        self.clock = 0.0
        self.asked: list[tuple[str, str]] = []
        self.taken: list[Finding] = []
        self.portions: list[int] = []
        self.counted: Counter[Kind] = Counter()
        self.told: list[str] = []

    def rounds(self, **changes: Any) -> Rounds:  # noqa: ANN401  any option of it
        async def known() -> Sequence[Known]:
            return self.known

        async def seen(peer: str) -> Seen | None:
            return self.peers[peer]

        async def silence(peer: str, identity: str) -> Silence:
            self.asked.append((peer, identity))
            return SILENCE

        async def take(found: Sequence[Finding]) -> Counter[Kind]:
            self.taken += found
            self.portions.append(len(found))
            return Counter({Kind.APPEARED: sum(isinstance(each, Appeared) for each in found)})

        effects = Effects(
            known=known,
            seen=seen,
            silence=silence,
            take=take,
            monotonic=lambda: self.clock,
            count=lambda kind: self.counted.update([kind]),
            failed=lambda: self.told.append("failed"),
            succeeded=lambda: self.told.append("succeeded"),
            news=lambda: self.told.append("news"),
        )
        return Rounds(effects, lambda: tuple(self.peers), changes.pop("bell", Bell()), **changes)


async def test_every_finding_is_stored_counted_and_told_to_the_other_stages() -> None:
    world = World(a=_seen(HERE, _shown("g")))
    await world.rounds().compare()
    assert (len(world.taken), world.counted, world.told) == (
        2,
        Counter({Kind.APPEARED: 2}),
        ["news", "succeeded"],
    )


async def test_a_storm_that_was_missed_is_stored_in_portions_that_let_others_in() -> None:
    world = World(a=_seen(*(_shown(str(each)) for each in range(450))))
    await world.rounds().compare()
    assert (world.portions, world.counted) == ([200, 200, 50], Counter({Kind.APPEARED: 450}))


@pytest.mark.parametrize(
    ("peers", "told"),
    [
        ({"a": _seen(), "b": _seen()}, ["succeeded"]),
        ({"a": None, "b": _seen()}, ["failed", "succeeded"]),
        ({"a": None, "b": None}, ["failed", "failed"]),
    ],
)
async def test_a_round_succeeds_when_a_peer_answers_and_each_other_one_is_a_failure(
    peers: dict[str, Seen | None], told: list[str]
) -> None:
    world = World(**peers)
    await world.rounds().compare()
    assert world.told == told


async def test_it_takes_two_rounds_that_far_apart_to_call_an_episode_gone() -> None:
    world = World(KNOWN, a=_seen())
    rounds = world.rounds()
    taken = []
    for world.clock in (1000.0, 1060.0, 1120.0, 1120.1):
        await rounds.compare()
        taken.append(len(world.taken))
    assert taken == [0, 0, 0, 1]


async def test_a_round_that_sees_it_again_begins_the_count_anew() -> None:
    world = World(KNOWN, a=_seen())
    rounds = world.rounds()
    for world.clock, shown in ((0.0, []), (60.0, [HERE]), (119.0, []), (200.0, []), (239.0, [])):
        world.peers["a"] = _seen(*shown)
        await rounds.compare()
    assert world.taken == []


async def test_each_silence_is_asked_for_once_and_only_so_many() -> None:
    many = [_shown(str(each), silenced_by=(f"{each // 2:03}",)) for each in range(400)]
    world = World(a=_seen(*many), b=_seen(*many))
    await world.rounds().compare()
    assert [identity for _, identity in world.asked] == [f"{each:03}" for each in range(100)]


async def test_the_bell_ends_the_wait_for_the_next_round() -> None:
    bell = Bell()
    rounds = World(a=_seen()).rounds(bell=bell, every=60.0)
    bell.ring()
    await rounds.once()  # would take a minute
