"""A pack: all evidence on one incident, cleaned, numbered, and small enough to be sent."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from orchestrator import clock
from webhook.evidence import flag
from webhook.evidence.item import LETTERS, Item, Json, Missing, Pack, Source, Subject
from webhook.evidence.portion import Portions
from webhook.evidence.raw import Raw

HARD: Final = 48 * 1024  # bytes of the whole, as it is sent
ROOM: Final[Mapping[Source, int]] = {  # bytes of the items of a source
    Source.ALERT: 2 * 1024,
    Source.METRICS: 8 * 1024,
    Source.STATUS: 2 * 1024,
    Source.HISTORY: 3 * 1024,
    Source.LOGS: 16 * 1024,
    Source.RUNBOOK: 4 * 1024,
}
FIRST_TO_GO: Final = (  # the last items of each, where the whole is too large
    Source.LOGS,
    Source.RUNBOOK,
    Source.HISTORY,
    Source.STATUS,
    Source.METRICS,
    Source.ALERT,
)
LACKS: Final = 20  # of what is missing; more is not told


def assemble(subject: Subject, raw: Raw, *, secrets: frozenset[str] = frozenset()) -> Pack:
    """Make a pack of *raw*; the same of the same, always. *secrets* are ours, and never in it.

    What has no room is left out, whole items, the least telling first.
    """
    portions = Portions(secrets)
    head = portions.subject(subject)
    found = {
        Source.ALERT: portions.alert(subject, raw.labels, raw.annotations),
        Source.METRICS: portions.metrics(raw.series),
        Source.STATUS: portions.status(raw),
        Source.HISTORY: portions.history(raw.pasts),
        Source.LOGS: portions.logs(raw.lines),
        Source.RUNBOOK: portions.runbook(raw.runbook),
    }
    kept = {source: _fitting(items, ROOM[source]) for source, items in found.items()}
    dropped = sum(map(len, found.values())) - sum(map(len, kept.values()))
    whole = Pack(
        subject=head,
        items=_numbered(kept),
        missing=raw.missing[:LACKS],
        omitted=portions.omitted + dropped,
        flags=tuple(sorted(portions.flags)),
        redactions=tuple(sorted(portions.redaction.counts.items())),
    )
    return _shrunk(whole, kept)


def _fitting(items: Sequence[Item], room: int) -> list[Item]:
    """Return as many of the first *items* as *room* bytes hold."""
    kept: list[Item] = []
    for each in items:
        room -= len(_json(_shown("M00", each)))
        if room < 0:
            break
        kept.append(each)
    return kept


def _numbered(kept: Mapping[Source, Sequence[Item]]) -> tuple[tuple[str, Item], ...]:
    return tuple(
        (f"{letter}{number}", each)
        for source, letter in LETTERS.items()
        for number, each in zip(count(1), kept[source], strict=False)
    )


def _shrunk(pack: Pack, kept: Mapping[Source, list[Item]]) -> Pack:
    """Drop items until the whole is small enough; only a head of an unheard-of size makes it so."""
    leaving = iter([source for source in FIRST_TO_GO for _ in kept[source]])
    while len(wire(pack)) > HARD and (source := next(leaving, None)):
        kept[source].pop()
        pack = replace(pack, items=_numbered(kept), omitted=pack.omitted + 1)
    return pack


def wire(pack: Pack) -> str:
    """Return the JSON text of *pack* for a request: ASCII, and with no `<` or `>`.

    So nothing in it can end a fence or a tag around it.
    """
    return _json(_document(pack))


def digest(pack: Pack) -> str:
    """Return what names the evidence: the SHA-256 of its text, but for when it was asked for."""
    document = _document(pack)
    document["about"] = {k: v for k, v in _about(pack.subject).items() if k != "asked_at"}
    return hashlib.sha256(_json(document).encode()).hexdigest()


def flagged(pack: Pack) -> frozenset[Source]:
    """Return the sources in whose text something suspicious was found."""
    marked = {item.source for _, item in pack.items if item.content.get("flags")}
    return frozenset(marked | ({Source.LOGS} if flag.FLOOD in pack.flags else set()))


def _document(pack: Pack) -> dict[str, Json]:
    """Return all that is told; its keys stand in this order in the alphabet, too."""
    return {
        "about": _about(pack.subject),
        "evidence": [_shown(number, each) for number, each in pack.items],
        "flags": list(pack.flags),
        "missing": [_lacking(each) for each in pack.missing],
        "omitted": pack.omitted,
    }


def _about(subject: Subject) -> dict[str, Json]:
    return {
        "project": subject.project,
        "alert": subject.alertname,
        "severity": subject.severity,
        "started_at": clock.written(subject.started_at),
        "asked_at": clock.written(subject.asked_at),
        "allowed_actions": list(subject.allowed),
        "tried": list(subject.tried),
        "helped": list(subject.helped),
        "depends_on": list(subject.depends_on),
        "critical": subject.critical,
    }


def _shown(number: str, item: Item) -> dict[str, Json]:
    return {
        "id": number,
        "source": item.source.value,
        "trust": item.trust.value,
        "content": item.content,
    }


def _lacking(missing: Missing) -> dict[str, Json]:
    return {"source": missing.source.value, "status": missing.lack.value, "why": missing.why}


def _json(document: Mapping[str, Json]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")
