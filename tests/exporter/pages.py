"""Reading a page of the exporter: in both formats, by a check of our own, and by promtool."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import aiohttp
from prometheus_client import parser as plain
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.samples import Sample

from orchestrator.demo import binaries

OPENMETRICS = "application/openmetrics-text"
Series = tuple[str, tuple[tuple[str, str], ...]]  # a name and its labels, sorted

_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"([a-zA-Z_][a-zA-Z0-9_]*)(?:\{{({_LABEL}(?:,{_LABEL})*)?\}})? (\S+)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')


async def page(http: aiohttp.ClientSession, url: str, accept: str = "text/plain") -> str:
    """Fetch the whole page."""
    async with http.get(f"{url}/metrics", headers={"Accept": accept}) as response:
        assert response.status == 200
        return await response.text()


def families(text: str) -> dict[str, Metric]:
    """Parse a page in the text format of Prometheus."""
    return {family.name: family for family in plain.text_string_to_metric_families(text)}


def openmetrics_families(text: str) -> dict[str, Metric]:
    """Parse a page in OpenMetrics; raise ValueError when families are interleaved."""
    found = openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]  # the library has no types there
    return {family.name: family for family in found}


def series(text: str) -> dict[Series, float]:
    """Read every sample of a page in either format, without a library."""
    return {_series(line): float(line.rpartition(" ")[2]) for line in _samples(text)}


def of_project(text: str, name: str) -> dict[str, float]:
    """Return the samples of one project, by their names and labels but `project`, as written."""
    found = {}
    for (metric, labels), value in series(text).items():
        rest = [f'{label}="{said}"' for label, said in labels if label != "project"]
        if ("project", name) in labels:
            found[f"{metric}{{{','.join(rest)}}}" if rest else metric] = value
    return found


def value(text: str, metric: str, **labels: str) -> float | None:
    """Return one sample, None when it is not there."""
    return series(text).get((metric, tuple(sorted(labels.items()))))


def doubled(text: str) -> list[Series]:
    """Return every series that stands more than once."""
    return [each for each, times in Counter(map(_series, _samples(text))).items() if times > 1]


def parsed_alike(text: str, other: str) -> bool:
    """Tell whether a text page and an OpenMetrics *other* parse, and are of the same series."""
    here = {_of_sample(each) for family in families(text).values() for each in family.samples}
    there = {
        _of_sample(each)
        for family in openmetrics_families(other).values()
        for each in family.samples
    }
    return here == there == series(text).keys() == series(other).keys()


def promtool(text: str) -> tuple[int, str, str]:
    """Check a page with `promtool check metrics`; (0, "", "") is fine."""
    program = binaries.find(os.environ, Path(".tools")).promtool  # noqa: TID251  as the demo does
    done = subprocess.run(  # noqa: S603  ours
        [program, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def _samples(text: str) -> list[str]:
    assert text.endswith("\n")
    return [line for line in text.split("\n")[:-1] if not line.startswith("#")]


def _series(line: str) -> Series:
    found = _SAMPLE.fullmatch(line)
    assert found, f"no sample: {line[:200]!r}"
    pairs = [(name, _plain(written)) for name, written in _PAIR.findall(found[2] or "")]
    assert len(dict(pairs)) == len(pairs), f"a label stands twice: {line[:200]!r}"
    return found[1], tuple(sorted(pairs))


def _plain(written: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), written)


def _of_sample(sample: Sample) -> Series:
    return sample.name, tuple(sorted(sample.labels.items()))
