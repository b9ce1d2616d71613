"""A story: all that happens in one run, chosen by its seed before it begins."""

import random
from dataclasses import dataclass
from enum import StrEnum

PROJECTS = 4
SPAN = 2.5  # seconds in which everything happens; what follows from it takes longer
ALERTS = (15, 40)  # of one story
CONTEXT = 0.3  # the share of senders whose alerts may not be repaired


class Moment(StrEnum):
    """When the webhook is killed."""

    ANYWHERE = "anywhere"
    STARTING = "starting"  # while it is not up yet
    ANSWERED = "answered"  # it has just said 200
    INTENDED = "intended"  # its command is on the way
    EXECUTING = "executing"  # its command is being carried out
    EXECUTED = "executed"  # its command is carried out, and it does not know yet
    ASKING = "asking"  # it asks Prometheus, to decide or to verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill of the webhook."""

    moment: Moment
    nth: int  # of these moments since the kill before
    delay: float  # seconds after it
    lost: bool  # whether a command on its way gets lost with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A project falls; its alerts come from Alertmanager, several in a message."""

    at: float
    project: int
    wrong: str | None  # None: its process is killed
    alerts: int
    mended: float | None  # when people mend it
    lie: float | None  # when its alert ends although it is down


class Turn(StrEnum):
    """What becomes of one alert of a sender."""

    FIRES = "fires"
    ENDS = "ends"
    FLAPS = "flaps"  # it fires again, and its end in between is never told


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One message of a sender: what has changed since the one before."""

    at: float
    turns: tuple[tuple[int, Turn], ...]  # by the place of the alert
    copies: tuple[float, ...]  # when the same message comes once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One that posts to the webhook itself, message after message, as Alertmanager does."""

    project: int
    alertname: str
    remediate: bool
    beats: tuple[Beat, ...]

    @property
    def alerts(self) -> int:
        """How many episodes it tells of."""
        turns = (turn for beat in self.beats for _, turn in beat.turns)
        return sum(turn is not Turn.ENDS for turn in turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that happens in one run."""

    seed: int
    falls: tuple[Fall, ...]
    senders: tuple[Sender, ...]
    kills: tuple[Kill, ...]
    peer_killed: float | None  # when Alertmanager is
    guards: dict[str, str | int]

    @property
    def alerts(self) -> int:
        """How many alerts it tells of, at least."""
        return sum(fall.alerts for fall in self.falls) + sum(each.alerts for each in self.senders)


def story(seed: int) -> Story:
    """Return the story of *seed*."""
    chance = random.Random(seed)  # noqa: S311  a seed, no secret
    falls = tuple(_fall(chance, project) for project in _some(chance, PROJECTS, 1, 3))
    senders: list[Sender] = []
    most = chance.randint(*ALERTS) - sum(fall.alerts for fall in falls)
    while sum(each.alerts for each in senders) < most:
        sender = _sender(chance)
        senders += [sender] if sender.alerts else []
    return Story(
        seed=seed,
        falls=falls,
        senders=tuple(senders),
        kills=tuple(_kill(chance) for _ in range(chance.randint(1, 3))),
        peer_killed=chance.uniform(0, SPAN) if seed % 5 == 0 else None,
        guards={
            "attempts": chance.randint(1, 3),
            "breaker": chance.randint(1, 2),
            "cooldown": chance.choice(["0s", "300ms", "1s"]),
            "fleet_min": 2 if seed % 7 == 0 else 100,  # or what falls at once is left alone
            "concurrency": chance.choice([1, 4]),
        },
    )


def _some(chance: random.Random, among: int, least: int, most: int) -> list[int]:
    return chance.sample(range(among), chance.randint(least, most))


def _fall(chance: random.Random, project: int) -> Fall:
    at = chance.uniform(0, SPAN / 2)  # so that there are commands while the alerts come
    wrong = chance.choice([None, None, "hung", "deaf"])
    lies = chance.random() < (0.8 if wrong == "deaf" else 0.4)
    return Fall(
        at=at,
        project=project,
        wrong=wrong,
        alerts=chance.randint(1, 3),
        mended=at + chance.uniform(0, 6) if chance.random() < 0.3 else None,
        lie=at + chance.uniform(1.5, 4.5) if lies else None,  # while a repair is being judged
    )


def _kill(chance: random.Random) -> Kill:
    moment = chance.choice(list(Moment))
    quick = moment is Moment.ANSWERED and chance.random() < 0.7
    longest = {Moment.ANYWHERE: SPAN, Moment.STARTING: 1.2, Moment.EXECUTING: 0.1}
    return Kill(
        moment=moment,
        nth=chance.choice([1, 1, 2]) if moment is not Moment.ANSWERED else chance.randint(1, 12),
        delay=0 if quick else chance.uniform(0, longest.get(moment, 0.02)),
        lost=chance.random() < 0.5,
    )


def _sender(chance: random.Random) -> Sender:
    alertname, remediate = "ProjectDown", True
    if chance.random() < CONTEXT:
        alertname, remediate = "ProjectSlow", False
    elif chance.random() < 0.1:
        alertname = "ProjectErrors"  # which no playbook knows
    return Sender(
        project=chance.randrange(PROJECTS),
        alertname=alertname,
        remediate=remediate,
        beats=tuple(_beats(chance, chance.randint(1, 4))),
    )


def _beats(chance: random.Random, alerts: int) -> list[Beat]:
    """Let each alert fire, perhaps flap and fire again, and mostly end, at the same few times."""
    times = sorted(chance.uniform(0, SPAN) for _ in range(chance.randint(2, 5)))
    fires = [False] * alerts
    beats = []
    for at in times:
        turns = []
        for place in range(alerts):
            if chance.random() < 0.7:
                turn = Turn.FIRES
                if fires[place]:
                    turn = chance.choice([Turn.ENDS, Turn.ENDS, Turn.FLAPS])
                fires[place] = turn is not Turn.ENDS
                turns.append((place, turn))
        beats.append(Beat(at=at, turns=tuple(turns), copies=_copies(chance, at)))
    over = tuple((place, Turn.ENDS) for place in range(alerts) if fires[place])
    if chance.random() < 0.9:
        beats.append(Beat(at=SPAN, turns=over, copies=_copies(chance, SPAN)))
    return [beat for beat in beats if beat.turns]


def _copies(chance: random.Random, at: float) -> tuple[float, ...]:
    """Choose when copies come: at once, or so late that others have come in between."""
    late = [at + chance.choice([0, chance.uniform(0, SPAN)]) for _ in range(2)]
    return tuple(late[: chance.choice([0, 0, 1, 2])])
