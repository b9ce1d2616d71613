"""The figures of the demo projects."""

from itertools import product

import pytest

from orchestrator.demo.business import BUSINESS, CACHE_LIMIT, Suffering, cache_bytes, metrics

NAMES = list(BUSINESS)
NOTHING: Suffering = {}
MINUTES = [minute * 60.0 for minute in range(24 * 60)]


def number(said: dict[str, object], key: str) -> float:
    """Read one figure."""
    figure = said[key]
    assert isinstance(figure, float)
    return figure


@pytest.mark.parametrize("name", NAMES)
def test_the_same_instant_has_the_same_figures(name: str) -> None:
    assert metrics(name, 12.5, NOTHING, paused=False) == metrics(name, 12.5, NOTHING, paused=False)


def test_an_instant_looks_like_this() -> None:
    assert metrics("chatbot", 60.0, {"cpu_load": 1.0}, paused=False) == {
        "cpu_percent": 91.5,
        "memory_percent": 41.5,
        "error_percent": 0.89,
        "requests_per_second": 35.3,
        "business": {
            "ticket_reduction": 0.399,
            "customer_satisfaction": 4.34,
            "response_time_seconds": 1.21,
        },
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_project_stays_below_every_threshold_all_day(name: str) -> None:
    day = [metrics(name, elapsed, NOTHING, paused=False) for elapsed in MINUTES]
    assert max(number(said, "cpu_percent") for said in day) < 80
    assert max(number(said, "memory_percent") for said in day) < 85
    assert max(number(said, "error_percent") for said in day) < 5
    assert min(number(said, "error_percent") for said in day) >= 0


@pytest.mark.parametrize("name", NAMES)
def test_figures_move(name: str) -> None:
    seen = {number(metrics(name, at, NOTHING, paused=False), "cpu_percent") for at in MINUTES[:30]}
    assert len(seen) > 10


@pytest.mark.parametrize(
    ("name", "fault", "key", "above"),
    [
        (name, *law)
        for name, law in product(
            NAMES, [("cpu_load", "cpu_percent", 80), ("error_burst", "error_percent", 5)]
        )
    ],
)
def test_a_fault_holds_its_figure_above_the_threshold(
    name: str, fault: str, key: str, above: float
) -> None:
    day = [metrics(name, elapsed, {fault: 1.0}, paused=False) for elapsed in MINUTES]
    assert above < min(number(said, key) for said in day)
    assert max(number(said, key) for said in day) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_burst_of_a_percentage_does_not_swing(name: str) -> None:
    said = {
        number(metrics(name, at, burst, paused=False, error_percent=11.0), "error_percent")
        for at in MINUTES
        for burst in [{"error_burst": 1.0}]
    }
    assert said == {11.0}


@pytest.mark.parametrize("name", NAMES)
def test_a_leak_passes_85_percent_within_half_a_minute_and_stays_below_100(name: str) -> None:
    leaking = [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 600.0]
    curve = [
        number(metrics(name, 100.0, {"memory_leak": since}, paused=False), "memory_percent")
        for since in leaking
    ]
    assert curve == sorted(curve)
    assert (curve[0] < 50, 85 < curve[-2] == curve[-1] < 100) == (True, True)


def test_a_paused_project_idles_even_under_load() -> None:
    said = metrics("chatbot", 60.0, {"cpu_load": 9.0, "error_burst": 9.0}, paused=True)
    assert (
        number(said, "cpu_percent") < 5,
        said["error_percent"],
        said["requests_per_second"],
    ) == (True, 0.0, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_business_figures_keep_to_their_kinds(name: str) -> None:
    for elapsed in MINUTES:
        business = metrics(name, elapsed, NOTHING, paused=False)["business"]
        assert isinstance(business, dict)
        ratios = {"response_rate", "delivery_rate", "ticket_reduction", "engagement_rate"}
        ratios.add("posting_consistency")
        assert all(0 <= value <= 1 for key, value in business.items() if key in ratios)
        assert 1 <= business.get("customer_satisfaction", 1) <= 5


@pytest.mark.parametrize(("seconds", "size"), [(0, 0), (1, 65_536), (10_000, CACHE_LIMIT)])
def test_the_cache_fills_up_to_its_limit(seconds: float, size: int) -> None:
    assert cache_bytes(seconds) == size
