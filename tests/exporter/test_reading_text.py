"""A reading of what Prometheus itself would read, and of any bytes: it is a Reading, and soon."""

import json
import math
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import reading
from exporter.reading import Reading
from orchestrator import gauge
from orchestrator.answer import Answer, Reason
from orchestrator.fetch import BODY_LIMIT
from orchestrator.project import Gauge

JSON, TEXT, OPENMETRICS = "application/json", "text/plain", "application/openmetrics-text"
GAUGES = (gauge.gauge("rate", "business.rate"), gauge.gauge("jobs", 'jobs{a="b"}'))
WRONG_VALUE = Reading(good=True, wrong=(Reason.VALUE,))
SOON = 1.0  # seconds; an honest page of this size takes a tenth
HIGHEST = {
    "project_cpu_usage_ratio": 1.0,
    "project_memory_usage_ratio": 1.0,
    "project_error_ratio": 1.0,
    "project_requests_per_second": 1e9,
    "project_queue_length": 1e12,
    "project_cache_bytes": 2.0**60,
    "project_deployed_timestamp_seconds": 253_402_300_800.0,  # the end of the year 9999
}


def _metrics(body: str, *gauges: Gauge, media_type: str) -> Reading:
    answer = Answer(reason=None, status=200, media_type=media_type, body=body.encode())
    return reading.of_metrics(answer, gauges)


@pytest.mark.parametrize(("media_type", "end"), [(TEXT, ""), (OPENMETRICS, "# EOF\n")])
@pytest.mark.parametrize(
    ("lines", "values"),
    [
        ("cpu_percent 27.4\n", {"project_cpu_usage_ratio": 0.274}),
        ("cpu_usage_ratio 0.5\n", {"project_cpu_usage_ratio": 0.5}),
        ("requests_per_second 5 1600000000\n", {"project_requests_per_second": 5.0}),
        ('jobs{a="b"} 7\n', {"project_jobs": 7.0}),
        ('jobs{a="c"} 8\njobs{a="b"} 7\n', {"project_jobs": 7.0}),
        ('# TYPE jobs gauge\njobs{a="b"} 7\n', {"project_jobs": 7.0}),
        ('jobs{a="b",c="d"} 7\n', {}),
        ("jobs 7\n", {}),
        ("colour 7\n", {}),
    ],
)
def test_text_is_read_by_the_names_of_its_samples(
    media_type: str, end: str, lines: str, values: dict[str, float]
) -> None:
    jobs = gauge.gauge("jobs", 'jobs{a="b"}')
    assert _metrics(lines + end, jobs, media_type=media_type) == Reading(good=True, values=values)


@pytest.mark.parametrize(("media_type", "end"), [(TEXT, ""), (OPENMETRICS, "# EOF\n")])
@pytest.mark.parametrize(
    "lines",
    [
        *("cpu_percent NaN\n", "cpu_percent +Inf\n", "cpu_percent -1\n", "cpu_percent 101\n"),
        *("cpu_percent 1" + "0" * 400 + "\n", "cpu_percent 5\ncpu_percent 5\n"),
    ],
)
def test_a_sample_that_cannot_be_is_counted(media_type: str, end: str, lines: str) -> None:
    assert _metrics(lines + end, media_type=media_type) == WRONG_VALUE


@pytest.mark.parametrize("media_type", [TEXT, OPENMETRICS])
@pytest.mark.parametrize(
    "lines",
    [
        "a 1 1" + "0" * 400,  # an instant beyond floats
        "a{b} 1",
        'a{="b"} 1',
        'a{b="c} 1',
        "{} 1",
        "a",
        "# TYPE h histogram\nh {count:1}",
        "# TYPE h histogram\nh_bucket{} 1",
        '# TYPE h histogram\nh_bucket{le="1"} h_bucket{le=} 2',
        '# TYPE s summary\ns{quantile="0.5"} 1 1.5\ns{quantile="0.5"} 2 2',
    ],
)
def test_text_that_is_broken_is_read_or_refused(media_type: str, lines: str) -> None:
    found = _metrics(f"{lines}\n# EOF\n", media_type=media_type)
    assert found in (Reading(good=True), Reading(good=False, wrong=(Reason.BODY,)))


@pytest.mark.parametrize("media_type", [TEXT, OPENMETRICS])
def test_text_that_is_not_utf_8_is_refused(media_type: str) -> None:
    answer = Answer(reason=None, status=200, media_type=media_type, body=b"\xff 1\n# EOF\n")
    assert reading.of_metrics(answer) == Reading(good=False, wrong=(Reason.BODY,))


def test_openmetrics_without_its_end_is_refused() -> None:
    found = _metrics("a 1\n", media_type=OPENMETRICS)
    assert found == Reading(good=False, wrong=(Reason.BODY,))


@pytest.mark.parametrize("media_type", [TEXT, OPENMETRICS])
def test_status_is_offered_as_json_only(media_type: str) -> None:
    body = b"queue_length 3\n# EOF\n"
    found = reading.of_status(Answer(reason=None, status=200, media_type=media_type, body=body))
    assert (found.good, found.values, len(found.wrong)) == (False, {}, 1)


def _filled(start: str, again: str, end: str) -> bytes:
    times = (BODY_LIMIT // 2 - len(start) - len(end)) // len(again)
    return (start + again * times + end).encode()


@pytest.mark.parametrize("media_type", [JSON, TEXT, OPENMETRICS])
@pytest.mark.parametrize(
    "body",
    [
        _filled("", "a 1\n", "# EOF\n"),
        _filled("a{", 'b="c",', "} 1\n# EOF\n"),
        _filled('a{b="', '\\"', '"} 1\n# EOF\n'),
        _filled("a{", "=,", "} 1\n# EOF\n"),
        _filled("# HELP", " ", "a\n# EOF\n"),
        _filled("# TYPE h histogram\nh {", "a", "}\n# EOF\n"),
        _filled("# TYPE h histogram\nh {", "a:", "}\n# EOF\n"),
        _filled("# TYPE h histogram\nh {positive_spans:[", "1:1,", "}\n# EOF\n"),
        _filled('{"a": [', "9" * 4000 + ",", "9]}"),
        _filled('{"a": ', "[", ""),
    ],
    ids=[
        *("samples", "labels", "quotes", "no names", "blanks"),
        *("a long word", "words", "spans", "long numbers", "brackets"),
    ],
)
def test_no_answer_takes_long_to_read(media_type: str, body: bytes) -> None:
    answer = Answer(reason=None, status=200, media_type=media_type, body=body)
    began = perf_counter()
    reading.of_metrics(answer, GAUGES)
    assert perf_counter() - began < SOON


def _is_sound(found: Reading) -> bool:
    """Tell whether each value is one that can be."""
    return all(
        math.isfinite(value) and (name in OWN or 0 <= value <= HIGHEST[name])
        for name, value in found.values.items()
    )


OWN = {"project_rate", "project_jobs"}
READS: list[Callable[[Answer], Reading]] = [
    lambda answer: reading.of_metrics(answer, GAUGES),
    reading.of_status,
]
_media_types = st.sampled_from([JSON, TEXT, OPENMETRICS, "", "text/html", "a+json"]) | st.text(
    max_size=20
)
_keys = st.sampled_from(
    [
        *("cpu_percent", "cpu_usage_ratio", "memory_percent", "error_ratio", "business", "rate"),
        *("requests_per_second", "queue_length", "cache_bytes", "deployed_at"),
    ]
)
_instants = st.datetimes().map(str) | st.datetimes().map(lambda each: f"{each.isoformat()}Z")
_figures = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _instants
_values = st.recursive(
    _figures,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(_keys | st.text(max_size=5), _values, max_size=8)
_tokens = st.lists(
    st.sampled_from(
        [
            *("a", "h", "cpu_percent", "jobs", "{", "}", 'le="', "=", '"', ",", "\\", " ", " 1\n"),
            *("# TYPE ", "# HELP ", "# UNIT ", "histogram\n", "summary\n", "counter\n", "_bucket"),
            *("quantile=", "count:", "sum:", "1", "NaN", "-Inf", "9" * 400, ".5", " # ", "# EOF\n"),
            *("_total", "_info", "\n", "\t", "\x00", "\ufeff", "\u2028", "[", "]", ":"),
        ]
    ),
    max_size=25,
)


@pytest.mark.parametrize("read", READS, ids=["metrics", "status"])
@settings(max_examples=100, derandomize=True, deadline=None)
@given(body=st.binary(max_size=200), media_type=_media_types)
def test_any_bytes_are_a_sound_reading(
    read: Callable[[Answer], Reading], body: bytes, media_type: str
) -> None:
    answer = Answer(reason=None, status=200, media_type=media_type, body=body)
    assert _is_sound(read(answer))


@pytest.mark.parametrize("read", READS, ids=["metrics", "status"])
@settings(max_examples=100, derandomize=True, deadline=None)
@given(said=_objects, media_type=_media_types)
def test_any_object_is_a_sound_reading(
    read: Callable[[Answer], Reading], said: dict[str, object], media_type: str
) -> None:
    body = json.dumps(said).encode()
    answer = Answer(reason=None, status=200, media_type=media_type, body=body)
    assert _is_sound(read(answer))


@pytest.mark.parametrize("read", READS, ids=["metrics", "status"])
@settings(max_examples=400, derandomize=True, deadline=None)
@given(tokens=_tokens, media_type=st.sampled_from([TEXT, OPENMETRICS]))
def test_any_text_is_a_sound_reading(
    read: Callable[[Answer], Reading], tokens: list[str], media_type: str
) -> None:
    body = "".join(tokens).encode()
    answer = Answer(reason=None, status=200, media_type=media_type, body=body)
    assert _is_sound(read(answer))
