"""Whole: a dashboard with what all of ours have in common."""

from collections.abc import Sequence
from typing import Final

from grafanalib import core

from dashboards import layout, links, variables
from dashboards.layout import Section
from dashboards.look import Json
from dashboards.variables import Places

REFRESHED: Final = "30s"
CROSSHAIR: Final = 1  # Grafana's code: shared by all panels


def whole(
    uid: str,
    title: str,
    question: str,
    sections: Sequence[Section],
    *,
    choices: Sequence[core.Template],
    marks: Sequence[Json] = (),
    since: str = "now-6h",
    places: Places,
) -> core.Dashboard:
    """Return the dashboard that answers *question*, on the time from *since* on.

    *choices* are its variables, beside the data source and the *places* that links lead to.
    """
    return core.Dashboard(
        uid=uid,
        title=title,
        description=question,
        panels=layout.place(sections),
        templating=core.Templating(
            [variables.DATASOURCE_CHOICE, *choices, *variables.constants(places)]
        ),
        annotations=core.Annotations(list(marks)),
        links=[links.OTHERS],
        tags=[links.TAG],
        time=core.Time(since, "now"),
        timePicker=core.TimePicker(["10s", "30s", "1m", "5m", "15m"], []),
        timezone="browser",
        refresh=REFRESHED,
        graphTooltip=CROSSHAIR,
    )
