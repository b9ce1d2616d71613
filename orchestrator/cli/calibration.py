"""Calibration: a plot of how often answers were right against how sure they were, as SVG."""

import math
import sys
from xml.etree.ElementTree import Element

from orchestrator.hub import Json

_SMALLEST, _LARGEST = 4.0, 16.0  # the radius of a dot, in pixels
_MANY = 100  # answers of which a dot is as large as it gets


def plot(report: Json) -> bytes:
    """Draw the calibration table of *report*; the file loads nothing and runs nothing."""
    import pygal  # type: ignore[import-untyped]  # noqa: PLC0415  no other command waits for it
    from pygal.style import Style  # type: ignore[import-untyped]  # noqa: PLC0415  as above

    # What it puts there has not been asked in the right way since Python 3.4, which is a warning.
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != "pygal"]
    style = Style(
        background="#fbfbf9",
        plot_background="#ffffff",
        foreground="#1c1d1f",
        foreground_strong="#1c1d1f",
        foreground_subtle="#5d6168",
        colors=("#0a58b5", "#8a5a00"),
        font_family="system-ui, sans-serif",
    )
    chart = pygal.XY(
        style=style,
        js=[],  # its own would be loaded from elsewhere, and tell there who reads the file
        no_prefix=True,
        explicit_size=True,
        width=720,
        height=560,
        include_x_axis=True,
        xrange=(0, 1),
        range=(0, 1),
        title=_title(report),
        x_title="how sure the answers were (mean)",
        y_title="how many of them were right",
        legend_at_bottom=True,
        truncate_legend=-1,
    )
    chart.add("answers, a dot for those about as sure", _dots(report), stroke=False)
    chart.add("as sure as right", [(0, 0), (1, 1)], show_dots=False)
    chart.add_xml_filter(_still)
    drawn: bytes = chart.render()
    return drawn


def _still(root: Element) -> Element:
    """Take out the scripts, of which one remains even where none is wanted."""
    for parent in [*root.iter()]:
        for script in parent.findall("script"):
            parent.remove(script)
    return root


def _title(report: Json) -> str:
    days = f"{report['since'][:10]} to {report['until'][:10]} (UTC)"
    return f"Calibration of {report['whole']['accuracy']['of']} answers, {days}"


def _dots(report: Json) -> list[Json]:
    return [
        {
            "value": (each["said"], each["right"]),
            "label": f"{each['n']} answers",
            "node": {"r": _radius(each["n"])},
        }
        for each in report["calibration"]
        if each["n"]
    ]


def _radius(many: int) -> float:
    """Return a radius by which the area of a dot grows as *many* does."""
    share = math.sqrt(min(many / _MANY, 1.0))
    return round(max(_LARGEST * share, _SMALLEST), 1)
