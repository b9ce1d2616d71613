"""Look: what a panel says of itself, and how its values are shown, as values and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.limits import GRAY, NEUTRAL, NO_COLOR, RED, Steps

Json = dict[str, Any]

RUNBOOKS: Final = "docs/runbooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a panel says of itself: nobody should have to ask what a figure means at night.

    `id` stays with the panel for ever, for links name it. `empty` is shown where there is nothing.
    """

    id: int
    title: str
    unit: str
    shows: str
    good: str
    act: str
    empty: str
    runbook: str | None = None  # an alert, which has the page

    @property
    def description(self) -> str:
        """The sentences as Grafana shows them, in Markdown."""
        said = [self.shows, f"**Good:** {self.good}", f"**Otherwise:** {self.act}"]
        page = [f"Runbook: `{RUNBOOKS}/{self.runbook}.md`"] if self.runbook else []
        return "\n\n".join([*said, *page])


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a click on a value leads."""

    title: str
    url: str
    is_new_tab: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A text, and its color, in the place of a value."""

    value: str  # as it is written: "1"; "null" is where there is no value
    text: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How values are shown."""

    steps: Steps = NEUTRAL
    words: tuple[Word, ...] = ()
    links: tuple[Link, ...] = ()
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    # In time series alone:
    is_stacked: bool = False
    soft_low: float | None = None  # where the axis begins, unless there is something beyond it
    soft_high: float | None = None  # where it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: a label, or the value of the query with the letter that `of` is."""

    of: str
    title: str
    unit: str = "string"
    look: Look = field(default_factory=Look)
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The title of a column by which a table is sorted, the largest first unless it is rising."""

    title: str
    is_rising: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large, in pixels, the name and the value of a figure are written."""

    name: int
    value: int


def defaults(look: Look) -> Json:
    """Return the part of `fieldConfig.defaults` that *look* decides, None where it does not."""
    return {
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": step.color, "value": step.value} for step in look.steps],
        },
        "mappings": mappings(look.words),
        "links": [
            {"title": each.title, "url": each.url, "targetBlank": each.is_new_tab}
            for each in look.links
        ],
        "min": look.low,
        "max": look.high,
        "decimals": look.decimals,
    }


def mappings(words: Sequence[Word]) -> list[Json]:
    """Return *words* as Grafana reads them."""
    plain = {
        word.value: {"text": word.text, "color": word.color, "index": place}
        for place, word in enumerate(words)
        if word.value != "null"
    }
    # Of "null" alone: bands know no other way to draw a gap.
    none = [nothing(word.text, word.color, of="null") for word in words if word.value == "null"]
    return ([{"type": "value", "options": plain}] if plain else []) + none


def nothing(text: str, color: str = GRAY, *, of: str = "null+nan") -> Json:
    """Return the mapping of no value, and of what is no number: neither is good nor bad."""
    result = {"text": text, "color": color, "index": 99}
    return {"type": "special", "options": {"match": of, "result": result}}


def override(name: str, properties: Json) -> Json:
    """Return what is different for the field *name*."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def limit(name: str) -> Json:
    """Return the override that makes a dashed line of the curve *name*."""
    return override(
        name,
        {
            "color": {"mode": "fixed", "fixedColor": RED},
            "custom.fillOpacity": 0,
            "custom.lineStyle": {"dash": [8, 8], "fill": "dash"},
            "custom.stacking": {"group": "limit", "mode": "none"},
            "links": [],  # it is no project's
        },
    )


def figure(name: str, empty: str, look: Look) -> Json:
    """Return the override for the figure *name*: by *look*, *empty* where there is none."""
    said = defaults(look)
    said["mappings"].append(nothing(empty))
    return override(name, {key: said[key] for key in ("thresholds", "mappings")})


def cells(column: Column) -> Json:
    """Return the override that shows *column* as it wants to be.

    An empty cell is a dash: else it has the sentence of the whole table, and the lowest color.
    """
    said = defaults(column.look)
    is_colored = bool(column.look.words) or column.look.steps != NEUTRAL
    cell = {"type": "color-background", "mode": "basic"} if is_colored else {"type": "auto"}
    width = {} if column.width is None else {"custom.width": column.width}
    if is_colored and all(word.value != "null" for word in column.look.words):
        said["mappings"].append(nothing("-", NO_COLOR))
    given = {key: value for key, value in said.items() if value is not None and value != []}
    own = {"unit": column.unit, "noValue": "-", "custom.cellOptions": cell}
    return override(column.title, own | width | given)
