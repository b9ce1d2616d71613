"""Why: analyses of an incident in lines for people, 100 columns wide."""

import textwrap
from collections.abc import Iterator
from typing import Final

from orchestrator.cli.online import local, plain, zone
from orchestrator.hub import Json

WIDTH: Final = 100  # columns
_DECISIONS: Final = {
    "auto": "it is done",
    "human": "people are asked to allow it",
    "escalate": "people are asked what to do",
    "observe": "nothing is done",
    "playbook": "the playbook goes on",
}
_STATES: Final = {
    "queued": "waits to be asked",
    "running": "is being asked",
    "answered": "nothing is decided yet",
    "aborted": "given up before there was an answer; nothing of it counts",
}


def told(analyses: list[Json]) -> Iterator[str]:
    """Tell each of *analyses*, the oldest first."""
    if not analyses:
        yield "the analyzer was not asked"
    for place, each in enumerate(analyses):
        yield from ([""] if place else [])
        yield from _analysis(each)


def _analysis(of: Json) -> Iterator[str]:
    asked = f"{local(of['asked_at'], day=True)} {zone(of['asked_at'])}"
    yield plain(f"analysis {of['id']}, {asked}: {_decided(of)}")
    for title, lines in (
        ("asked", _asked(of)),
        ("answer", _answer(of)),
        ("because", _because(of)),
        ("gates", _gates(of)),
        ("after", _after(of)),
        ("evidence", _evidence(of)),
        ("calls", _calls(of)),
    ):
        shown = [*lines]
        yield from (f"  {title}:", *shown) if shown else ()


def _decided(of: Json) -> str:
    return _DECISIONS.get(of["decision"]) or _STATES[of["state"]]


def _line(text: str, *, head: str = "") -> list[str]:
    """Lay *text* out in lines behind *head*; those after the first begin where it does, or 2 in."""
    return textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=" " * 4 + head,
        subsequent_indent=" " * (4 + (len(head) or 2)),
        break_on_hyphens=False,
    )


def _asked(of: Json) -> Iterator[str]:
    times = "attempt" if of["attempts"] == 1 else "attempts"
    yield from _line(f"what to do about {of['alertname']}, after {of['attempts']} {times}")
    if of["allowed"]:
        yield from _line(f"it might propose {', '.join(of['allowed'])}")
    if of["tried"]:
        yield from _line(f"tried before: {', '.join(of['tried'])}")


def _answer(of: Json) -> Iterator[str]:
    answer, sure = of["answer"], of["confidence"]
    if of["analyzer"]:
        by = f"{of['model']}, prompt {of['prompt']}" if of["model"] else of["analyzer"]
        again = f", taken over from analysis {of['reused']}" if of["reused"] else ""
        yield from _line(f"by {by}, in {of['seconds']:.1f} s{again}")
    if of["why_rules"]:
        yield from _line(f"no model, for {of['why_rules']}")
    if answer is None:
        return
    category = answer["root_cause_category"].replace("_", " ")
    yield from _line(f"cause: {answer['root_cause']} ({category})")
    counts = "" if sure is None else f", which counts as {sure['effective']:.4g}"
    yield from _line(f"proposes {answer['action']}, sure to {answer['confidence']:.4g}{counts}")
    if answer["missing_evidence"]:
        yield from _line(f"would like to know {', '.join(answer['missing_evidence'])}")
    if of["flags"] or answer["suspicious_text"]:
        yield from _line(f"suspicious text: {', '.join(of['flags']) or 'by its own word'}")


def _because(of: Json) -> Iterator[str]:
    answer = of["answer"] or {"rationale": [], "alternatives": []}
    for each in answer["rationale"]:
        on = f" [{', '.join(each['evidence_ids'])}]" if each["evidence_ids"] else ""
        yield from _line(f"{each['claim']}{on}", head="- ")
    for each in answer["alternatives"]:
        yield from _line(f"not {each['cause'].replace('_', ' ')}: {each['why_not']}", head="- ")


def _gates(of: Json) -> Iterator[str]:
    widest = max((len(each["name"]) for each in of["gates"]), default=0)
    for each in of["gates"]:
        mark = "yes" if each["passed"] else "NO "
        yield from _line(each["why"], head=f"{mark} {plain(each['name']).ljust(widest)}  ")
    if of["reason"]:
        yield from _line(of["reason"], head="so: ")


def _after(of: Json) -> Iterator[str]:
    after = of["after"]
    if action := after["action"]:
        detail = f": {action['detail']}" if action["detail"] else ""
        yield from _line(f"{action['action']}: {action['state']}{detail}")
    if asked := after["approval"]:
        by = f" by {asked['decided_by']}" if asked["decided_by"] else ""
        yield from _line(f"approval {asked['id']}: {asked['state']}{by}")
    if of["decided_at"] is None:
        return
    ended, again = (local(after[f"alert_{each}_at"], day=True) for each in ("ended", "again"))
    back = f", fired again {again}" if again else ""
    yield from _line(f"the alert {f'ended {ended}' if ended else 'goes on'}{back}")
    if after["came"] != "unlabelled":
        yield from _line(f"what came of it: {after['came']}")


def _evidence(of: Json) -> Iterator[str]:
    for each in of["evidence"]:
        head = f"{plain(each['id']).ljust(3)} {plain(each['trust']).ljust(9)}  "
        yield from _line(f"{each['source']}: {each['said']}", head=head)
    for each in of["missing"]:
        yield from _line(f"missing: {each['source']}: {each['why']}")
    if of["omitted"]:
        yield from _line(f"{of['omitted']} more, for which there was no room")
    if of["evidence_hash"] and not of["evidence"]:
        yield from _line(f"let go of; its SHA-256 was {of['evidence_hash']}")


def _calls(of: Json) -> Iterator[str]:
    for each in of["calls"]:
        came = each["outcome"] or "nobody knows what came of it"
        status = "" if each["status"] is None else f" {each['status']}"
        took = "" if each["seconds"] is None else f", {each['seconds']:.1f} s"
        cost = f"${each['cost_usd']:.6f}{'' if each['settled'] else ' as reserved'}"
        yield from _line(f"{each['model']}: {came}{status}{took}, {cost}")
    if len(of["calls"]) > 1:
        yield from _line(f"in all ${of['cost_usd']:.6f}")
