"""The mind of a demo: it reads the evidence by a few rules, as a careful engineer would.

It is no model, and knows what goes wrong in a demo project, no more. The first rule that fits
answers; each cites evidence that is there, measured evidence where there is some.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.demo.messages.evidence import Evidence, Item

Answer = Mapping[str, Any]
Rule = Callable[[Evidence], Answer | None]

FULL = re.compile(r"(?i)(?:database|disk)(?: or disk)?(?: is)? full|no space left|cannot grow")
LOST = re.compile(r"(?i)database connection lost|connection (?:was )?lost")
ORDER = re.compile(
    r"(?i)\b(?:ignore|disregard|forget) (?:all|any|the|previous|prior|your)\b"
    r"|\byou (?:must|are now)\b|\b(?:system|assistant|human|operator)\s*:"
    r"|\b(?:run|execute|call|choose)\s+\w+_\w+"
)
MEMORY, CPU, ERRORS = 0.85, 0.8, 0.05  # ratios beyond which a figure explains its alert
RECENT = 3_600.0  # seconds after a deployment in which it is to blame for errors
MOST_CITED = 8


def answer(evidence: Evidence) -> Answer:
    """Say what is wrong, and what would help."""
    found = (rule(evidence) for rule in RULES)
    first = next((each for each in found if each is not None), None) or _unknown(evidence)
    said = "\n".join(each.text for each in evidence.of("logs", "alert"))
    suspicious = bool(evidence.flags) or ORDER.search(said) is not None
    return {**first, "suspicious_text": suspicious}


def says(  # the parts of an answer, as the schema has them
    evidence: Evidence,
    *,
    cause: tuple[str, str],
    action: str,
    confidence: float,
    claims: list[tuple[str, list[str]]],
    instead: tuple[str, str] = ("unknown", "Nothing else in the evidence explains it."),
) -> Answer:
    """Return a whole answer; an action that is not allowed, or was tried, becomes `escalate`."""
    usable = action in evidence.allowed and action not in evidence.tried
    chosen = action if usable or action in {"none", "escalate"} else "escalate"
    return {
        "rationale": [{"claim": claim, "evidence_ids": ids[:MOST_CITED]} for claim, ids in claims],
        "alternatives": [{"cause": instead[0], "why_not": instead[1]}],
        "root_cause_category": cause[0],
        "root_cause": cause[1],
        "action": chosen,
        "target_ref": "none" if chosen in {"none", "escalate"} else "alert_target",
        "confidence": confidence,
        "missing_evidence": [],
        "suspicious_text": False,
    }


def _full(evidence: Evidence) -> Answer | None:
    said = _saying(evidence, FULL)
    if not said:
        return None
    return says(
        evidence,
        cause=(
            "disk_full",
            "The database is full. Delete old data or expand the database; a restart won't help.",
        ),
        action="escalate",
        confidence=0.93,
        claims=[
            ("The project says that its database is full.", _ids(said)),
            ("It does not serve, and restarts free no space.", _ids(evidence.of("status"))),
        ],
        instead=("process_down", "The process runs and answers; it cannot write."),
    )


def _paused(evidence: Evidence) -> Answer | None:
    status = evidence.of("status")
    if not _probed(evidence, "paused"):
        return None
    return says(
        evidence,
        cause=("unknown", "Somebody has paused it, so its figures say little."),
        action="escalate",
        confidence=0.6,
        claims=[("It says that it is paused.", _ids(status))],
    )


def _memory(evidence: Evidence) -> Answer | None:
    return _high(
        evidence,
        "memory",
        MEMORY,
        cause=("memory_leak", "Its cache keeps what it should drop, and takes the memory."),
        action="clear_cache",
        confidence=0.9,
    )


def _cpu(evidence: Evidence) -> Answer | None:
    return _high(
        evidence,
        "cpu",
        CPU,
        cause=("cpu_saturation", "Its work keeps the processor busy; paused, it does no harm."),
        action="pause_service",
        confidence=0.85,
    )


def _high(
    evidence: Evidence,
    name: str,
    limit: float,
    *,
    cause: tuple[str, str],
    action: str,
    confidence: float,
) -> Answer | None:
    found = evidence.figure(name)
    if found is None or found[1] <= limit:
        return None
    claim = f"Its {name} is at {found[1]:.0%}, above {limit:.0%}."
    return says(
        evidence,
        cause=cause,
        action=action,
        confidence=confidence,
        claims=[(claim, [found[0]])],
        instead=("traffic_spike", "The requests alone do not explain it."),
    )


def _deployed(evidence: Evidence) -> Answer | None:
    errors = evidence.figure("errors")
    status = evidence.of("status")
    told = [each.content.get("deployed_seconds_ago") for each in status]
    ago = next((each for each in told if isinstance(each, int | float)), math.inf)
    if errors is None or errors[1] <= ERRORS or ago > RECENT:
        return None
    return says(
        evidence,
        cause=("bad_deploy", "The errors began with the release that was deployed just now."),
        action="rollback_deployment",
        confidence=0.88,
        claims=[
            (f"{errors[1]:.0%} of its requests fail.", [errors[0]]),
            (f"It was deployed {ago:.0f} s ago.", _ids(status)),
        ],
        instead=("dependency_down", "Nothing that it depends on is said to be down."),
    )


def _lost(evidence: Evidence) -> Answer | None:
    said = _saying(evidence, LOST)
    if not said:
        return None
    return says(
        evidence,
        cause=("dependency_down", "It has lost its connection to the database, and keeps none."),
        action="restart_service",
        confidence=0.82,
        claims=[("It says that the connection is lost.", _ids(said))],
    )


def _down(evidence: Evidence) -> Answer | None:
    status = evidence.of("status")
    if evidence.alertname != "ProjectDown" or not status:
        return None
    if not _probed(evidence, "down"):
        return says(
            evidence,
            cause=("false_alarm", "It answers again, by a probe just now."),
            action="none",
            confidence=0.75,
            claims=[("A probe just now found it up.", _ids(status))],
            instead=("process_down", "It was down, and is not any more."),
        )
    return says(
        evidence,
        cause=("process_down", "The process is gone, or hangs; its log names no other cause."),
        action="restart_service",
        confidence=0.8,
        claims=[("It does not answer.", _ids(status))],
    )


def _probed(evidence: Evidence, state: str) -> bool:
    """Tell whether a probe just now found *state*."""
    probes = (str(each.content.get("probe", "")) for each in evidence.of("status"))
    return any(each.startswith(state) for each in probes)


def _unknown(evidence: Evidence) -> Answer:
    return says(
        evidence,
        cause=("unknown", "The evidence explains the alert in no way that I know of."),
        action="escalate",
        confidence=0.4,
        claims=[("This is what it is about.", _ids(evidence.of("alert")))],
    )


def _saying(evidence: Evidence, words: re.Pattern[str]) -> list[Item]:
    """Return what says *words*: what was measured first."""
    return [each for each in evidence.of("status", "logs") if words.search(each.text)]


def _ids(items: tuple[Item, ...] | list[Item]) -> list[str]:
    return [each.id for each in items]


RULES: tuple[Rule, ...] = (_full, _paused, _memory, _cpu, _deployed, _lost, _down)
