"""Layout: where panels stand. They come in bands, from the top to the bottom, 24 columns wide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import attr
from grafanalib import core

from dashboards.panels import Panel

COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Band:
    """Panels side by side, each with its width, all of one height."""

    height: int
    panels: tuple[tuple[int, Panel], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Bands under a title, which folds them away; without a title they just stand there."""

    id: int | None = None
    title: str | None = None
    bands: tuple[Band, ...]
    is_folded: bool = False


def band(height: int, *panels: tuple[int, Panel]) -> Band:
    """Return *panels*, each after its width, side by side."""
    return Band(height, panels)


def place(sections: Sequence[Section]) -> list[core.Panel]:
    """Return every panel with its place, the folded ones within their rows."""
    placed: list[core.Panel] = []
    top = 0
    for section in sections:
        has_row = section.title is not None
        inner, bottom = _bands(section.bands, top + has_row)
        if has_row:
            placed.append(_row(section, top, inner))
        if not section.is_folded:
            placed.extend(inner)
        top = top + has_row if section.is_folded else bottom
    return placed


def _row(section: Section, top: int, inner: list[Panel]) -> core.RowPanel:
    return core.RowPanel(
        id=section.id,
        title=section.title,
        collapsed=section.is_folded,
        panels=inner if section.is_folded else [],
        gridPos=core.GridPos(h=1, w=COLUMNS, x=0, y=top),
    )


def _bands(bands: Sequence[Band], top: int) -> tuple[list[Panel], int]:
    placed: list[Panel] = []
    for each in bands:
        left = 0
        for width, panel in each.panels:
            where = core.GridPos(h=each.height, w=width, x=left, y=top)
            placed.append(attr.evolve(panel, gridPos=where))
            left += width
        top += each.height
    return placed, top
