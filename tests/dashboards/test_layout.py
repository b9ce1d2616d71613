"""Panels stand where they are put, and keep their ids wherever that is."""

from dataclasses import replace

from grafanalib import core

from dashboards.layout import Section, band, place
from dashboards.look import About, Look
from dashboards.panels import Panel, now, stat


def _panel(about: About, number: int) -> Panel:
    return stat(replace(about, id=number), [now("up")], Look())


def _places(placed: list[core.Panel]) -> list[tuple[int, int, int, int, int]]:
    return [
        (json["id"], *(json["gridPos"].to_json_data()[key] for key in "xywh"))
        for json in (panel.to_json_data() for panel in placed)
    ]


def test_panels_of_a_band_stand_side_by_side_and_bands_below_each_other(about: About) -> None:
    upper = band(4, (6, _panel(about, 1)), (18, _panel(about, 2)))
    lower = band(8, (24, _panel(about, 3)))
    placed = place([Section(bands=(upper, lower))])
    assert _places(placed) == [(1, 0, 0, 6, 4), (2, 6, 0, 18, 4), (3, 0, 4, 24, 8)]


def test_a_title_takes_a_row_of_its_own(about: About) -> None:
    section = Section(id=9, title="More", bands=(band(4, (24, _panel(about, 1))),))
    assert _places(place([section])) == [(9, 0, 0, 24, 1), (1, 0, 1, 24, 4)]


def test_what_is_folded_takes_the_room_of_its_title_alone(about: About) -> None:
    folded = Section(id=9, title="More", is_folded=True, bands=(band(4, (24, _panel(about, 1))),))
    after = Section(bands=(band(4, (24, _panel(about, 2))),))
    placed = place([folded, after])
    assert _places(placed) == [(9, 0, 0, 24, 1), (2, 0, 1, 24, 4)]
    assert _places(placed[0].panels) == [(1, 0, 1, 24, 4)]
