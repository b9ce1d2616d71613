"""A scenario as the text of its file: figures rounded, series in a row, nothing that is empty."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import yaml

from orchestrator import clock
from webhook.evaluation.scenario import Scenario
from webhook.evidence.item import Json, Subject
from webhook.evidence.raw import Raw, Series

DIGITS = 4  # significant, of a figure


def text(scenario: Scenario) -> str:
    """Return *scenario* as the text of its file; without the runbook, which is in docs/."""
    head = {
        "id": scenario.id,
        "about": scenario.about,
        "family": scenario.family,
        "split": str(scenario.split),
        **({"injected": True} if scenario.injected else {}),
        "source": scenario.source,
        "licence": scenario.licence,
        "subject": _of_subject(scenario.subject),
        "truth": {
            "category": str(scenario.truth.category),
            "acceptable": sorted(scenario.truth.acceptable),
            "forbidden": sorted(scenario.truth.forbidden),
        },
        "raw": {key: each for key, each in _of_raw(scenario.raw).items() if each not in _NOTHING},
    }
    told: str = yaml.dump(head, Dumper=_Dumper, sort_keys=False, width=100)
    return told


_NOTHING: tuple[object, ...] = ((), [], {}, "", None)


def _of_subject(subject: Subject) -> dict[str, object]:
    return {
        "project": subject.project,
        "alertname": subject.alertname,
        "severity": subject.severity,
        "started_at": clock.written(subject.started_at),
        "asked_at": clock.written(subject.asked_at),
        "allowed": list(subject.allowed),
        "tried": list(subject.tried),
        "depends_on": list(subject.depends_on),
        "critical": subject.critical,
    }


def _of_raw(raw: Raw) -> dict[str, object]:
    return {
        "labels": dict(raw.labels),
        "annotations": dict(raw.annotations),
        "series": [_of_series(each) for each in raw.series],
        "status": None if raw.status is None else dict(raw.status),
        "probe": raw.probe,
        "deployed_seconds_ago": rounded(raw.deployed_seconds_ago),
        "log": [[each.ts, each.level, each.message] for each in raw.lines],
        "pasts": [
            {
                "incident": each.incident,
                "opened_at": clock.written(each.opened_at),
                "seconds": rounded(each.seconds),
                "ended": each.ended,
                "actions": [list(one) for one in each.actions],
            }
            for each in raw.pasts
        ],
        "missing": [
            {"source": str(each.source), "lack": str(each.lack), "why": each.why}
            for each in raw.missing
        ],
    }


def _of_series(series: Series) -> Mapping[str, Json]:
    """Write its points a step apart: the step is the smallest distance of two of them."""
    begins = series.points[0][0] if series.points else 0.0
    instants = [at for at, _ in series.points]
    apart = [later - earlier for earlier, later in pairwise(instants)]
    step = min(apart, default=1.0)
    values: list[float | None] = []
    for at, value in series.points:
        values += [None] * (round((at - begins) / step) - len(values))
        values.append(rounded(value))
    return {
        "question": series.question,
        "unit": series.unit,
        "begins": begins,
        "step": step,
        "values": values,
        "before": rounded(series.before),
    }


def rounded(value: float | None) -> float | None:
    """Return *value* with as many digits as are written, whole ones as such; None stays None."""
    if value is None:
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() else short


class _Dumper(yaml.SafeDumper):
    """Lists of plain values on lines of their own would make a file ten times as long."""

    def represent_sequence(
        self,
        tag: str,
        sequence: Iterable[object],
        flow_style: bool | None = None,  # noqa: FBT001  yaml's signature
    ) -> yaml.SequenceNode:
        """Write a list of plain values within one pair of brackets."""
        plain = not any(isinstance(each, list | tuple | dict) for each in sequence)
        return super().represent_sequence(tag, sequence, flow_style=plain or flow_style)
