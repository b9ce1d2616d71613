"""Portions: what each source told, as items of a pack, the most telling first."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from orchestrator import clock
from webhook.diagnosis import Line
from webhook.evidence import flag, questions, series, template
from webhook.evidence.clean import line as cleaned
from webhook.evidence.item import Item, Json, Source, Subject, Trust
from webhook.evidence.raw import Past, Raw, Series
from webhook.evidence.redaction import Redaction
from webhook.plain import CUT, cut, whole

LABELS: Final = ("endpoint", "job", "mode", "reason", "resource", "scope", "severity", "state")
ANNOTATIONS: Final = ("summary", "description")
SEVERITIES: Final = frozenset({"critical", "warning", "info", "none"})
MANY: Final = 20  # entries of a list or a mapping that are told
LOOKED_AT: Final = 100  # labels, annotations and fields that are searched for flags
NAME: Final = 100  # characters
WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")  # as people of ours name alerts
# What a stranger's text of one word may be, and an alert's name: others may be a password.
USUAL: Final = re.compile(r"[A-Z]?[a-z_]{1,31}")
TITLE: Final = re.compile(r"[A-Z][A-Za-z]{1,60}")
OTHER: Final = "other"  # alert, of which neither a rule nor a playbook of ours knows
RUNBOOK: Final = 3_500  # characters, as they are sent; a sign of another alphabet counts for six
PAGE: Final = 64 * 1024  # characters of a runbook that are looked at
CONTRACT: Final = frozenset({"queue_length", "cache_bytes", "deployed_at"})
_FENCED: Final = re.compile(r"(?ms)^```.*?(?:^```\s*$|\Z)")
MOST: Final[Mapping[str, float]] = {"queue_length": 1e12, "cache_bytes": 2.0**60}


class Portions:
    """The items of one pack. Lives as long as it is made; it gathers flags and redactions."""

    def __init__(self, secrets: frozenset[str]) -> None:
        self.redaction = Redaction(secrets)
        self.flags: set[str] = set()
        self.omitted = 0

    def subject(self, subject: Subject) -> Subject:
        """Return the head: names of ours as they are, and an alert's only when we know it."""
        return replace(
            subject,
            project=self._ours(subject.project),
            alertname=self._name(subject.alertname) if _known(subject) else OTHER,
            severity=subject.severity if subject.severity in SEVERITIES else OTHER,
            allowed=tuple(map(self._ours, subject.allowed[:MANY])),
            tried=tuple(map(self._ours, subject.tried[-MANY:])),
            depends_on=tuple(map(self._ours, subject.depends_on[:MANY])),
            helped=tuple(map(self._ours, subject.helped[:MANY])),
        )

    def alert(
        self, subject: Subject, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> list[Item]:
        """Tell what is known of the alert, and then what it says itself: anybody may post one."""
        head = self.subject(subject)
        known: dict[str, Json] = {
            "severity": head.severity,
            "started_at": clock.written(head.started_at),
        }
        own = _known(subject)
        told: dict[str, Json] = {} if own else {"alert": self._text(subject.alertname, TITLE)}
        known |= {"alert": head.alertname} if own else {}
        spoken: dict[str, dict[str, Json]] = {
            "labels": {each: self._text(labels[each]) for each in LABELS if each in labels},
            "annotations": {
                each: self._text(annotations[each]) for each in ANNOTATIONS if each in annotations
            },
        }
        told |= {name: texts for name, texts in spoken.items() if texts}
        texts = [*annotations.values(), *labels.values(), *annotations, *labels]
        said = self._marked(told, [subject.alertname, *texts])
        return [
            _config(Source.ALERT, known),
            *([_stranger(Source.ALERT, said)] if said else []),
        ]

    def metrics(self, told: Sequence[Series]) -> list[Item]:
        """Tell how each series went."""
        summaries = (series.summary(each) for each in told)
        return [_measured(Source.METRICS, each) for each in summaries if each is not None]

    def status(self, raw: Raw) -> list[Item]:
        """Tell what a look of ours found, and then what the project says of itself beside it."""
        seen: dict[str, Json] = {}
        if raw.probe:
            seen["probe"] = self._ours(raw.probe)
        if raw.deployed_seconds_ago is not None and series.sane(raw.deployed_seconds_ago):
            seen["deployed_seconds_ago"] = series.rounded(raw.deployed_seconds_ago)
        if raw.status is not None:
            seen["status"] = {"answers": True, **dict(_contract(raw.status))}
        more = self._more(raw.status or {})
        return [
            *([_measured(Source.STATUS, seen)] if seen else []),
            *([_stranger(Source.STATUS, more)] if more else []),
        ]

    def _more(self, status: Mapping[str, Json]) -> dict[str, Json]:
        """Return the fields that the contract does not know: figures, and texts in the abstract."""
        others = [each for each in sorted(status) if each not in CONTRACT]
        fields: dict[str, Json] = {}
        for name in others[:MANY]:
            value = _plain(status[name])
            if isinstance(value, str):
                fields[self._text(name)] = self._text(value)
            elif value is not None:
                fields[self._text(name)] = value
        texts = [each for name in others for each in (name, status[name]) if isinstance(each, str)]
        return self._marked({"fields": fields} if fields else {}, texts)

    def history(self, pasts: Sequence[Past]) -> list[Item]:
        """Tell of each incident that has ended: for how long, and what came of what was done."""
        return [
            _measured(
                Source.HISTORY,
                {
                    "opened_at": clock.written(each.opened_at),
                    "minutes": series.rounded(each.seconds / series.MINUTE),
                    "ended": self._ours(each.ended),
                    "actions": [
                        {"name": self._ours(name), "outcome": self._ours(outcome)}
                        for name, outcome in each.actions[-MANY:]
                    ],
                },
            )
            for each in pasts
        ]

    def logs(self, lines: Sequence[Line]) -> list[Item]:
        """Tell what kinds of lines the log has."""
        mined = template.mine(lines, self.redaction)
        self.flags |= mined.flags
        self.omitted += mined.omitted
        return [_stranger(Source.LOGS, _kind(each)) for each in mined.templates]

    def runbook(self, text: str) -> list[Item]:
        """Tell what people wrote about the alert, without what is to be typed."""
        prose = _FENCED.sub(" ", text[:PAGE])
        told = _fitting(self.redaction(cleaned(prose, RUNBOOK)), RUNBOOK)
        return [_config(Source.RUNBOOK, {"text": told})] if told else []

    def _ours(self, text: str) -> str:
        return cut(self.redaction(cleaned(text)), NAME)

    def _name(self, text: str) -> str:
        """Return the name of an alert of ours; what is none is told as any text of a stranger."""
        if not WORD.fullmatch(text) or self._look(text) or self.redaction(text) != text:
            return self._text(text)
        return text

    def _text(self, text: str, word: re.Pattern[str] = USUAL) -> str:
        """Return a stranger's text in the abstract, or only that there is one.

        A word alone is told only where it is like *word*.
        """
        if self._look(text):
            return template.WITHHELD
        told = template.abstract(self.redaction(cleaned(text)))
        return told if " " in told or "<" in told or word.fullmatch(told) else "<word>"

    def _look(self, text: str) -> frozenset[str]:
        """Note what is suspicious about *text*, and return it."""
        found = flag.flags(text)
        self.flags |= found
        return found

    def _marked(self, content: dict[str, Json], texts: Sequence[str]) -> dict[str, Json]:
        """Return *content* with the flags of *texts*, which it is made of or passes over."""
        found = frozenset[str]().union(*map(self._look, texts[:LOOKED_AT]))
        return {**content, "flags": sorted(found)} if found else content


def _known(subject: Subject) -> bool:
    """Tell whether people of ours know of the alert, by a rule or a playbook."""
    return bool(subject.allowed) or subject.alertname in questions.ALERTS


def _fitting(text: str, room: int) -> str:
    """Return as much of *text* as takes *room* bytes as it is sent, with a sign of the cut."""
    sizes = accumulate(6 if each in "<>" else len(json.dumps(each)) - 2 for each in text)
    fit = sum(size <= room - 6 for size in sizes)
    return text if fit == len(text) else whole(text, fit) + CUT


def _contract(status: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Return the fields of the endpoint contract, each only as what it has to be."""
    for name, most in MOST.items():
        value = _plain(status.get(name))
        if isinstance(value, float) and 0 <= value <= most:
            yield name, value
    try:
        yield "deployed_at", clock.written(clock.read(str(status.get("deployed_at"))))
    except (ValueError, OverflowError):
        return


def _plain(value: Json) -> str | float | bool | None:
    """Return a figure or a text; None of anything else."""
    if isinstance(value, bool | str):
        return value
    try:
        figure = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return series.rounded(figure) if series.sane(figure) else None


def _kind(each: template.Template) -> dict[str, Json]:
    told: dict[str, Json] = {"template": each.text, "level": each.level, "count": each.count}
    if each.first:
        told |= {"first": each.first, "last": each.last}
    return {**told, "flags": sorted(each.flags)} if each.flags else told


def _config(source: Source, content: Mapping[str, Json]) -> Item:
    return Item(source=source, trust=Trust.CONFIG, content=content)


def _measured(source: Source, content: Mapping[str, Json]) -> Item:
    return Item(source=source, trust=Trust.MEASURED, content=content)


def _stranger(source: Source, content: Mapping[str, Json]) -> Item:
    return Item(source=source, trust=Trust.UNTRUSTED, content=content)
