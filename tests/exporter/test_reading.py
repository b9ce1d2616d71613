"""A reading: figures out of an answer in base units, and whatever else it holds is a reason."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from exporter import reading
from exporter.reading import Reading
from orchestrator import gauge
from orchestrator.answer import Answer, Reason
from orchestrator.project import Gauge

JSON = "application/json"
RATE = gauge.gauge("rate", "business.rate")
WRONG_VALUE = Reading(good=True, wrong=(Reason.VALUE,))


def _answer(body: bytes | str, media_type: str = JSON) -> Answer:
    raw = body.encode() if isinstance(body, str) else body
    return Answer(reason=None, status=200, media_type=media_type, body=raw)


def _metrics(body: bytes | str, *gauges: Gauge, media_type: str = JSON) -> Reading:
    return reading.of_metrics(_answer(body, media_type), gauges)


@pytest.mark.parametrize(
    ("said", "metric", "value"),
    [
        ('"cpu_percent": 0', "project_cpu_usage_ratio", 0.0),
        ('"cpu_percent": 27.4', "project_cpu_usage_ratio", 0.274),
        ('"cpu_percent": 100', "project_cpu_usage_ratio", 1.0),
        ('"cpu_percent": 100.0', "project_cpu_usage_ratio", 1.0),
        ('"cpu_percent": -0.0', "project_cpu_usage_ratio", 0.0),
        ('"cpu_percent": 1e-300', "project_cpu_usage_ratio", 1e-302),
        ('"cpu_percent": 33.333333333333336', "project_cpu_usage_ratio", 0.333333333333),
        ('"cpu_usage_ratio": 0.274', "project_cpu_usage_ratio", 0.274),
        ('"cpu_usage_ratio": 1', "project_cpu_usage_ratio", 1.0),
        ('"memory_percent": 41.8', "project_memory_usage_ratio", 0.418),
        ('"memory_usage_ratio": 0.418', "project_memory_usage_ratio", 0.418),
        ('"error_percent": 0.61', "project_error_ratio", 0.0061),
        ('"error_ratio": 0.0061', "project_error_ratio", 0.0061),
        ('"requests_per_second": 38.2', "project_requests_per_second", 38.2),
        ('"requests_per_second": 1e9', "project_requests_per_second", 1e9),
    ],
)
def test_a_figure_of_metrics_is_taken_in_its_base_unit(
    said: str, metric: str, value: float
) -> None:
    assert _metrics(f"{{{said}}}") == Reading(good=True, values={metric: value})


@pytest.mark.parametrize(
    ("said", "metric", "value"),
    [
        ('"queue_length": 0', "project_queue_length", 0.0),
        ('"queue_length": 1000000000000', "project_queue_length", 1e12),
        ('"cache_bytes": 131072', "project_cache_bytes", 131072.0),
        ('"cache_bytes": 1152921504606846976', "project_cache_bytes", 2.0**60),
    ],
)
def test_a_figure_of_status_is_taken(said: str, metric: str, value: float) -> None:
    assert reading.of_status(_answer(f"{{{said}}}")) == Reading(good=True, values={metric: value})


@pytest.mark.parametrize("endpoint", ["metrics", "status"])
@pytest.mark.parametrize(
    "figure",
    [
        *("-1", "-1e-9", "1e999", "-1e999", "1e15", "1" + "0" * 400, "-1" + "0" * 400),
        *("true", "false", '"27"', '""', "[27]", "[]", "{}", '{"cpu_percent": 27}'),
    ],
)
def test_a_figure_that_cannot_be_is_counted_and_not_taken(endpoint: str, figure: str) -> None:
    read = reading.of_status if endpoint == "status" else reading.of_metrics
    known = "requests_per_second" if endpoint == "metrics" else "queue_length"
    assert read(_answer(f'{{"{known}": {figure}}}')) == WRONG_VALUE


@pytest.mark.parametrize(
    "said",
    [
        *('"cpu_percent": 100.0001', '"cpu_usage_ratio": 1.0001', '"memory_percent": 101'),
        *('"memory_usage_ratio": 42', '"error_percent": 1e3', '"error_ratio": 2'),
        '"requests_per_second": 1000000001',
    ],
)
def test_a_figure_of_metrics_beyond_its_bounds_is_counted(said: str) -> None:
    assert _metrics(f"{{{said}}}") == WRONG_VALUE


@pytest.mark.parametrize("said", ['"queue_length": 1e13', '"cache_bytes": 1152921504606847232'])
def test_a_figure_of_status_beyond_its_bounds_is_counted(said: str) -> None:
    assert reading.of_status(_answer(f"{{{said}}}")) == WRONG_VALUE


def test_a_wrong_figure_takes_no_other_along() -> None:
    said = _metrics('{"cpu_percent": -1, "memory_percent": 50}')
    assert said == Reading(
        good=True, values={"project_memory_usage_ratio": 0.5}, wrong=(Reason.VALUE,)
    )


@pytest.mark.parametrize("body", ["{}", '{"cpu_percent": null}', '{"colour": "blue"}'])
def test_what_is_left_out_is_nothing_wrong(body: str) -> None:
    assert _metrics(body, RATE) == Reading(good=True)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "1.", "0x1", "1_0"])
def test_what_is_no_number_of_json_is_no_json(number: str) -> None:
    said = _metrics(f'{{"memory_percent": 50, "cpu_percent": {number}}}')
    assert said == Reading(good=False, wrong=(Reason.BODY,))


@pytest.mark.parametrize("depth", [10, *range(950, 1000), 10_000, 30_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_however_deep_an_answer_nests_it_is_read_or_refused(
    depth: int, brackets: tuple[str, str]
) -> None:
    begin, end = brackets
    said = f'{{"deployed_at": {begin * depth}1{end * depth}}}'
    assert reading.of_status(_answer(said)) in (
        WRONG_VALUE,
        Reading(good=False, wrong=(Reason.BODY,)),
    )


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"business": {"rate": 0.5}}', 0.5),
        ('{"business": {"rate": -7}}', -7.0),
        ('{"business": {"rate": 0}}', 0.0),
        ('{"business": {"rate": 1e300}}', 1e300),
    ],
)
def test_a_figure_of_its_own_is_found_by_its_path(body: str, value: float) -> None:
    assert _metrics(body, RATE) == Reading(good=True, values={"project_rate": value})


@pytest.mark.parametrize(
    "body",
    [
        *('{"business": 1}', '{"business": [{"rate": 1}]}', '{"business.rate": 1}'),
        *('{"rate": 1}', '{"business": {"Rate": 1}}', '{"business": {"rate": null}}'),
    ],
)
def test_a_path_that_leads_nowhere_finds_nothing(body: str) -> None:
    assert _metrics(body, RATE) == Reading(good=True)


@pytest.mark.parametrize("figure", ["true", '"1"', "[1]", "{}", "1e999", "1" + "0" * 400])
def test_a_figure_of_its_own_that_is_no_number_is_counted(figure: str) -> None:
    assert _metrics(f'{{"business": {{"rate": {figure}}}}}', RATE) == WRONG_VALUE


@pytest.mark.parametrize(
    ("name", "source", "figure", "value"),
    [
        ("load_ratio", "load_percent", "27.4", 0.274),
        ("wait_seconds", "wait_ms", "250", 0.25),
        ("wait_seconds", "wait_us", "250", 0.00025),
        ("wait_seconds", "wait.minutes", "2", 120.0),
        ("saved_seconds", "time_saved_hours", "1.5", 5400.0),
        ("age_seconds", "age_days", "1", 86_400.0),
        ("disk_bytes", "disk_kb", "1", 1000.0),
        ("disk_bytes", "disk_mib", "1", 1024.0**2),
        ("disk_bytes", "disk_gib", "-2", -(2.0 * 1024**3)),
        ("rate", "rate", "33.333333333333336", 33.333333333333336),  # nothing to convert
    ],
)
def test_a_figure_of_its_own_is_converted_to_its_base_unit(
    name: str, source: str, figure: str, value: float
) -> None:
    said: object = json.loads(figure)
    for key in reversed(source.split(".")):
        said = {key: said}
    found = _metrics(json.dumps(said), gauge.gauge(name, source))
    assert found == Reading(good=True, values={f"project_{name}": value})


def test_a_figure_that_its_unit_makes_infinite_is_counted() -> None:
    assert _metrics('{"disk_gib": 1e308}', gauge.gauge("disk_bytes", "disk_gib")) == WRONG_VALUE


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00.000000Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00.250Z", datetime(2026, 1, 1, 12, microsecond=250_000, tzinfo=UTC)),
        ("2026-01-01T12:00:00.123456789Z", datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-01T14:00:00+02:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01t12:00:00-00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01 12:00:00+00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_the_instant_of_a_deployment_is_read(said: str, instant: datetime) -> None:
    found = reading.of_status(_answer(json.dumps({"deployed_at": said})))
    values = {"project_deployed_timestamp_seconds": instant.timestamp()}
    assert found == Reading(good=True, values=values)


@pytest.mark.parametrize(
    "said",
    [
        *("", "yesterday", "2026-01-01", "2026-01-01T12:00:00", "2026-13-01T12:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "10000-01-01T00:00:00Z"),
        *(1767268800, 1767268800.5, 20260101, True, [], {}, ["2026-01-01T12:00:00Z"]),
    ],
)
def test_an_instant_that_cannot_be_is_counted(said: object) -> None:
    assert reading.of_status(_answer(json.dumps({"deployed_at": said}))) == WRONG_VALUE


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_an_instant_before_the_epoch_is_no_deployment(said: str) -> None:
    assert reading.of_status(_answer(json.dumps({"deployed_at": said}))) == WRONG_VALUE


def test_a_wrong_instant_takes_no_figure_along() -> None:
    found = reading.of_status(_answer('{"queue_length": 3, "deployed_at": "yesterday"}'))
    values = {"project_queue_length": 3.0}
    assert found == Reading(good=True, values=values, wrong=(Reason.VALUE,))


def test_two_wrong_things_are_two_reasons() -> None:
    body = '{"queue_length": -1, "deployed_at": "yesterday"}'
    found = reading.of_status(_answer(body, "text/html"))
    assert found == Reading(good=True, wrong=(Reason.CONTENT_TYPE, Reason.VALUE))


READS = [reading.of_metrics, reading.of_status]
BOTH = '{"cpu_percent": 50, "queue_length": 3}'
VALUES = [{"project_cpu_usage_ratio": 0.5}, {"project_queue_length": 3.0}]


@pytest.mark.parametrize(("read", "values"), list(zip(READS, VALUES, strict=True)))
@pytest.mark.parametrize("media_type", ["text/html", "image/png", "application/xml", "/", "\udcff"])
def test_json_with_a_wrong_label_is_taken_and_counted(
    read: Callable[[Answer], Reading], values: dict[str, float], media_type: str
) -> None:
    found = read(_answer(BOTH, media_type))
    assert found == Reading(good=True, values=values, wrong=(Reason.CONTENT_TYPE,))


@pytest.mark.parametrize(("read", "values"), list(zip(READS, VALUES, strict=True)))
@pytest.mark.parametrize("media_type", ["", JSON, "application/health+json"])
def test_json_with_a_right_label_or_none_is_taken(
    read: Callable[[Answer], Reading], values: dict[str, float], media_type: str
) -> None:
    assert read(_answer(BOTH, media_type)) == Reading(good=True, values=values)


@pytest.mark.parametrize("read", READS)
def test_json_that_is_labelled_as_plain_text_is_taken_and_counted(
    read: Callable[[Answer], Reading],
) -> None:
    found = read(_answer(BOTH, "text/plain"))
    assert (found.good, found.wrong, len(found.values)) == (True, (Reason.CONTENT_TYPE,), 1)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.STATUS}))
def test_an_answer_that_did_not_come_is_its_reason(
    read: Callable[[Answer], Reading], reason: Reason
) -> None:
    assert read(Answer(reason=reason)) == Reading(good=False, wrong=(reason,))


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("status", "wrong"),
    [(404, ()), *((other, (Reason.STATUS,)) for other in (204, 400, 403, 405, 410, 500, 503))],
)
def test_an_endpoint_that_is_not_offered_is_nothing_wrong(
    read: Callable[[Answer], Reading], status: int, wrong: tuple[Reason, ...]
) -> None:
    found = read(Answer(reason=Reason.STATUS, status=status, body=b'{"cpu_percent": 1}'))
    assert found == Reading(good=False, wrong=wrong)
