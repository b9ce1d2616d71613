"""What is gathered of one incident of the demo fleet, at the pace of that fleet."""

from dataclasses import replace
from datetime import datetime
from statistics import fmean

import aiohttp

from orchestrator import clock, config
from tests.scenarios.stage import Json, Stage
from webhook.collection import Sources, collect
from webhook.evidence import questions
from webhook.evidence.item import Subject
from webhook.evidence.questions import Question
from webhook.evidence.raw import Past, Raw, Series

WINDOW = 60  # seconds, a point each
ENOUGH = 5  # points of the time before
OURS = "fault "  # how the demo's own words about its faults begin; no service announces its own


async def gathered(stage: Stage, subject: Subject, alert: Json) -> Raw:
    """Return what the sources tell, as the webhook gathers it, but for the pace of the figures.

    The runbook is left out: it would tell what helps, and whoever mends a word of it would make
    every recorded reply useless.
    """
    known = config.load(stage.stack.folder / "orchestrator.yml").projects
    async with aiohttp.ClientSession() as session:
        sources = Sources(
            session=session,
            ways=session,
            prometheus=stage.stack.url("prometheus"),
            pasts=_none,
            runbooks=stage.stack.checkout / "docs" / "runbooks",
            now=clock.now,
        )
        project = known[subject.project]
        raw = await collect(sources, subject, project, alert["labels"], alert["annotations"])
    asked = questions.asked(subject.alertname, subject.project)
    series = [await _series(stage, each, subject.asked_at) for each in asked]
    return replace(
        raw,
        series=tuple(each for each in series if each.points),
        lines=tuple(each for each in raw.lines if not each.message.startswith(OURS)),
        runbook="",
    )


async def _none(*_: str) -> tuple[Past, ...]:
    return ()


async def _series(stage: Stage, question: Question, at: datetime) -> Series:
    end = at.timestamp()
    told = await stage.ask(
        "prometheus",
        "/api/v1/query_range",
        query=question.query,
        start=f"{end - 2 * WINDOW + 1:.3f}",
        end=f"{end:.3f}",
        step="1",
    )
    found = told["data"]["result"]
    points = tuple((float(at), float(each)) for at, each in found[0]["values"]) if found else ()
    begins = end - WINDOW + 0.5  # half a second beside the points, which are rounded
    newer = tuple(each for each in points if each[0] > begins)
    older = [value for at, value in points if at <= begins]
    return Series(
        question=question.name,
        unit=question.unit,
        points=newer,
        before=fmean(older) if len(older) >= ENOUGH else None,
    )
