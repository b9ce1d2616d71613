"""The rules: an answer without a model, the same for the same evidence, and never sure enough.

They run in this order, and the first that fits answers:

1. What measurements contradict is a false alarm, and nothing is done about it.
2. What is paused was paused by somebody, and is left alone.
3. What the log names, where a restart frees nothing or helps only for a while.
4. What is usual for the alert, the first thing that was not tried yet.
5. People are asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from webhook.analyzer import signs
from webhook.analyzer.answer import ESCALATE, NONE, Alternative, Answer, Category, Claim, Target
from webhook.analyzer.signs import UP, Saying, Signs
from webhook.diagnosis import SUSPICIONS
from webhook.evidence.item import Pack, Subject
from webhook.incident import DOWN

CAP: Final = 0.69  # of what no rule is marked auto_safe for: an outage of the model never acts more
RECENT: Final = 3600.0  # seconds after a deployment in which it is the first suspect
CALM: Final = 0.9  # of its threshold: a figure below that is well again beyond a doubt
SPIKE: Final = 2.0  # times as many requests as before


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found: a cause, what usually helps (best first), and what that rests on."""

    category: Category
    cause: str
    claims: tuple[Claim, ...]
    confidence: float
    helps: tuple[str, ...] = ()  # none: people are asked
    nothing: bool = False  # nothing is to be done
    instead: tuple[Alternative, ...] = ()


Rule = Callable[[Subject, Signs], Finding | None]


def answer(pack: Pack) -> Answer:
    """Say what is wrong and what helps, by the first rule that fits."""
    seen = signs.read(pack)
    found = (rule(pack.subject, seen) for rule in RULES)
    first = next((each for each in found if each is not None), None) or _unknown(seen)
    action = _action(pack.subject, first)
    return Answer(
        rationale=tuple(each for each in first.claims if each.evidence_ids),
        alternatives=first.instead,
        root_cause_category=first.category,
        root_cause=first.cause,
        action=action,
        target_ref=Target.NONE if action in {NONE, ESCALATE} else Target.ALERT_TARGET,
        confidence=min(first.confidence, CAP),
        missing_evidence=tuple(sorted({each.source.value for each in pack.missing})),
        suspicious_text=bool(pack.flags),
    )


def _action(subject: Subject, found: Finding) -> str:
    """Return the first thing that helps, is allowed, and was not tried yet; else ask people."""
    if found.nothing:
        return NONE
    tried = {each.partition(":")[0] for each in subject.tried}
    left = (each for each in found.helps if each in subject.allowed and each not in tried)
    return next(left, ESCALATE)


def _claim(text: str, *ids: str) -> Claim:
    return Claim(claim=text, evidence_ids=tuple(each for each in ids if each))


def contradicted(subject: Subject, seen: Signs) -> Finding | None:
    """Find an alert that the newest measurement speaks against."""
    if subject.alertname == DOWN:
        if seen.state.probe not in UP:
            return None
        said = _claim(f"A probe just now found it {seen.state.probe}.", seen.state.id)
        return _false("It answers again.", said)
    watched = WATCHED.get(subject.alertname, "")
    figure = seen.figures.get(watched)
    if figure is None or figure.last > CALM * _limit(watched, seen):
        return None
    text = f"Its figure of {watched} is {figure.last:g} now, and was {figure.highest:g} at most."
    return _false("What was measured has gone back.", _claim(text, figure.id))


WATCHED: Final = {  # alert -> the figure that it is about
    "ProjectHighCPU": "cpu",
    "ProjectHighMemory": "memory",
    "ProjectHighErrorRate": "errors",
}
LIMITS: Final = {"cpu": 0.8, "memory": 0.85, "errors": 0.05}  # where a project's own is not known


def _limit(watched: str, seen: Signs) -> float:
    """Return what is too much of a figure, by the project's own threshold where it is known."""
    own = seen.figures.get(f"{watched}_threshold")
    return own.last if own else LIMITS[watched]


def _false(cause: str, *claims: Claim) -> Finding:
    return Finding(
        category=Category.FALSE_ALARM, cause=cause, claims=claims, confidence=0.65, nothing=True
    )


def paused(subject: Subject, seen: Signs) -> Finding | None:
    """Find a project that somebody has paused."""
    if seen.state.probe != "paused":
        return None
    usual, _, _ = USUAL.get(subject.alertname, (Category.UNKNOWN, (), ""))
    said = _claim("It says that it is paused.", seen.state.id)
    cause = "Somebody has paused it; no repair of ours is to put it back to work."
    return Finding(category=usual, cause=cause, claims=(said,), confidence=0.5)


# What a suspicion of the log is, and what helps beside people: none where a restart frees nothing.
NAMED: Final[dict[str, tuple[Category, tuple[str, ...]]]] = {
    "disk_full": (Category.DISK_FULL, ()),
    "memory": (Category.MEMORY_LEAK, ("clear_cache", "restart_service")),
    "files": (Category.UNKNOWN, ("restart_service",)),
    "certificate": (Category.CERTIFICATE, ()),
    "port": (Category.CONFIG_ERROR, ()),
    "rights": (Category.CONFIG_ERROR, ()),
    "credentials": (Category.CONFIG_ERROR, ()),
    "unreachable": (Category.DEPENDENCY_DOWN, ("restart_service",)),
    "incomplete": (Category.BAD_DEPLOY, ("rollback_deployment",)),
    "crash_loop": (Category.PROCESS_DOWN, ()),
}


def named(subject: Subject, seen: Signs) -> Finding | None:
    """Find what the errors of the log name; its other lines only where there is no error."""
    errors = tuple(each for each in seen.sayings if each.bad) or seen.sayings
    for suspicion in SUSPICIONS:
        said = next((e for e in errors if suspicion.fits(e.text, subject.alertname)), None)
        if said is not None:
            category, helps = NAMED[suspicion.name]
            return Finding(
                category=category,
                cause=suspicion.told,
                claims=_of_log(said, seen),
                confidence=0.6 if _visible(subject, seen) else 0.5,
                helps=helps,
            )
    return None


def _of_log(said: Saying, seen: Signs) -> tuple[Claim, ...]:
    log = _claim("Its log names this cause.", said.id)
    probe = f"A probe just now: {seen.state.probe} {seen.state.reason}".rstrip() + "."
    return (log, _claim(probe, seen.state.id)) if seen.state.probe else (log,)


def _visible(subject: Subject, seen: Signs) -> bool:
    """Tell whether something that was measured shows the trouble, too."""
    if subject.alertname == DOWN:
        return bool(seen.state.probe) and seen.state.probe not in UP
    return WATCHED.get(subject.alertname, "") in seen.figures


def outage(subject: Subject, seen: Signs) -> Finding | None:
    """Tell a process that is gone or hangs from one that lives and calls itself down."""
    if subject.alertname != DOWN or not seen.state.probe:
        return None
    probe = _claim(f"A probe just now: {seen.state.reason or seen.state.probe}.", seen.state.id)
    if seen.state.reason != "status":
        return Finding(
            category=Category.PROCESS_DOWN,
            cause="Its process is gone, or answers nothing.",
            claims=(probe,),
            confidence=0.65,
            helps=("restart_service", "start_service"),
        )
    lives = _claim("Its process answers other questions.", seen.state.id)
    return Finding(
        category=Category.DEPENDENCY_DOWN,
        cause="It lives and says that it cannot work: something that it needs is missing.",
        claims=(probe, lives) if seen.state.answers else (probe,),
        confidence=0.6,
        helps=("restart_service",),
        instead=(
            Alternative(cause=Category.PROCESS_DOWN, why_not="It answers, if only with an error."),
        ),
    )


def deployed(_: Subject, seen: Signs) -> Finding | None:
    """Find errors that came with a release."""
    ago, errors = seen.state.deployed_ago, seen.figures.get("errors")
    if ago is None or ago > RECENT or errors is None or errors.last <= _limit("errors", seen):
        return None
    return Finding(
        category=Category.BAD_DEPLOY,
        cause="Its errors came with the release that was deployed last.",
        claims=(
            _claim(f"{errors.last:.1%} of its requests fail.", errors.id),
            _claim(f"It was deployed {ago:.0f} s ago.", seen.state.id),
        ),
        confidence=0.68,
        helps=("rollback_deployment",),
    )


def spike(subject: Subject, seen: Signs) -> Finding | None:
    """Find more traffic than it can serve; to restart what is busy makes it no better."""
    requests, busy = seen.figures.get("requests"), seen.figures.get("cpu")
    if requests is None or busy is None or not requests.before or busy.last <= _limit("cpu", seen):
        return None
    if requests.last < SPIKE * requests.before:
        return None
    return Finding(
        category=Category.TRAFFIC_SPIKE,
        cause="Far more requests come than before.",
        claims=(
            _claim(f"{requests.last:g} requests/s, before {requests.before:g}.", requests.id),
            _claim(f"{busy.last:.0%} of its processor is in use.", busy.id),
        ),
        confidence=0.55,
        helps=("pause_service",) if subject.alertname == "ProjectHighCPU" else (),
    )


# What an alert usually is, what helps then, and the figure that shows it.
USUAL: Final[dict[str, tuple[Category, tuple[str, ...], str]]] = {
    "ProjectHighMemory": (Category.MEMORY_LEAK, ("clear_cache", "restart_service"), "memory"),
    "ProjectHighCPU": (Category.CPU_SATURATION, ("pause_service",), "cpu"),
    "ProjectHighErrorRate": (Category.UNKNOWN, (), "errors"),
    DOWN: (Category.PROCESS_DOWN, ("restart_service",), "up"),
}


def usual(subject: Subject, seen: Signs) -> Finding | None:
    """Take the usual cause of the alert, where its figure shows it."""
    category, helps, watched = USUAL.get(subject.alertname, (Category.UNKNOWN, (), ""))
    figure = seen.figures.get(watched)
    if figure is None:
        return None
    return Finding(
        category=category,
        cause=f"The usual cause of {subject.alertname}.",
        claims=(_claim(f"Its figure of {watched} is {figure.last:g}.", figure.id),),
        confidence=0.65 if helps else 0.4,
        helps=helps,
    )


def _unknown(seen: Signs) -> Finding:
    return Finding(
        category=Category.UNKNOWN,
        cause="No rule knows what this is.",
        claims=(_claim("Only the alert itself is known.", seen.alert),),
        confidence=0.3,
    )


RULES: Final[tuple[Rule, ...]] = (contradicted, paused, named, outage, deployed, spike, usual)
