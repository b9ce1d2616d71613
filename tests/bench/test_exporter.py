"""The benchmark's own reckoning: figures from a page, verdicts and tables."""

import json
from dataclasses import replace
from math import inf, isnan, nan
from typing import Any

import pytest
from click.testing import CliRunner

from tests.bench import page, table
from tests.bench.exporter import main
from tests.bench.ours import judged
from tests.bench.page import Histogram, Missing
from tests.bench.result import Cost, Loop, Run, Scrape, Seen, Targets, ratio, verdicts
from tests.bench.setup import SAME, SHIPPED

LAG = Histogram(((0.001, 50), (0.01, 98), (0.1, 100), (inf, 100)), total=0.5)


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.25, 0.0005), (0.5, 0.001), (0.74, 0.0055), (0.98, 0.01), (0.99, 0.055), (1, 0.1)],
)
def test_a_quantile_lies_within_its_bucket(share: float, value: float) -> None:
    assert LAG.quantile(share) == pytest.approx(value)


@pytest.mark.parametrize(
    ("below", "quantile", "slowest"),
    [
        (((0.1, 0), (inf, 4)), 0.1, inf),
        (((0.1, 4), (1.0, 4), (inf, 4)), 0.099, 0.1),
        (((0.1, 0), (1.0, 4), (inf, 4)), 0.991, 1.0),
    ],
)
def test_the_highest_bucket_that_holds_a_value_bounds_them(
    below: tuple[tuple[float, float], ...], quantile: float, slowest: float
) -> None:
    found = Histogram(below, total=1.0)
    assert found.quantile(0.99) == pytest.approx(quantile)
    assert found.slowest == slowest


def test_a_histogram_without_a_value_has_no_quantile() -> None:
    none = LAG.since(LAG)
    assert [isnan(value) for value in (none.quantile(0.5), none.mean, none.slowest)] == [True] * 3


def test_a_difference_holds_what_came_between() -> None:
    before = Histogram(((0.001, 50), (0.01, 50), (0.1, 50), (inf, 50)), total=0.25)
    assert LAG.since(before) == Histogram(
        ((0.001, 0), (0.01, 48), (0.1, 50), (inf, 50)), total=0.25
    )


def _page(factor: int) -> str:
    made = "".join(
        f"# TYPE {name} counter\n" + f'{name}{{endpoint="health"}} {count * factor}\n' * bool(count)
        for name, count in (
            ("exporter_probes_due_total", 11),
            ("exporter_probes_total", 10),
            ("exporter_probes_skipped_total", 1),
            ("exporter_probes_void_total", 0),
        )
    )
    parts = "".join(
        f'exporter_scrape_seconds_bucket{{part="{part}",le="0.125"}} {factor}\n'
        f'exporter_scrape_seconds_bucket{{part="{part}",le="+Inf"}} {factor}\n'
        f'exporter_scrape_seconds_sum{{part="{part}"}} {factor * 0.0625}\n'
        for part in ("health", "resources")
    )
    return (
        f'{made}{parts}project_up{{project="a"}} 1.0\n'
        f'exporter_tick_lag_seconds_bucket{{le="0.125"}} {factor * 100}\n'
        f'exporter_tick_lag_seconds_bucket{{le="+Inf"}} {factor * 100}\n'
        f"exporter_tick_lag_seconds_sum {factor * 0.05}\n"
        "exporter_tick_lag_max_seconds 0.12\n"
    )


BEFORE, AFTER = (page.parse(_page(factor), prefix="exporter_") for factor in (1, 3))


def test_what_our_page_counts_between_two_readings_is_what_we_did() -> None:
    health = 'project_up{project="a"} 1.0\nproject_up{project="b"} 0.0\n'
    scrape = Scrape(mean=0.0625, slowest=0.125)
    assert judged(BEFORE, AFTER, [(0.3, ""), (0.1, ""), (0.2, health)]) == Seen(
        made={"health": 20},
        up=1,
        loop=Loop(
            lag_p50=0.0625,
            lag_p99=0.12,  # by its bucket it were 0.12375
            lag_max=0.12,
            due={"health": 22},
            skipped={"health": 2},
            void={},
            health=scrape,
            resources=scrape,
            wall=0.2,
            page_bytes=len(health),
        ),
    )


@pytest.mark.parametrize(
    "name",
    [
        "exporter_tick_lag_seconds",
        "exporter_tick_lag_max_seconds",
        "exporter_probes_due_total",
        "exporter_probes_total",
        "exporter_probes_skipped_total",
        "exporter_probes_void_total",
        "exporter_scrape_seconds",
    ],
)
def test_a_metric_that_the_page_lacks_is_named(name: str) -> None:
    without = page.parse(_page(1).replace(name, f"{name}_"), prefix="exporter_")
    with pytest.raises(Missing, match=f"no {name}"):
        judged(without, without, [])


def _run(projects: int, cpu: float, *, loop: bool) -> Run:
    made = {name: projects * 60 / every for name, every in SAME.intervals.items()}
    scrape = Scrape(mean=0.004, slowest=0.005)
    seen = Loop(
        lag_p50=0.001,
        lag_p99=0.008,
        lag_max=0.02,
        due=made,
        skipped={"health": 0},
        void={},
        health=scrape,
        resources=scrape,
        wall=0.01,
        page_bytes=1000,
    )
    return Run(
        side="ours" if loop else "blackbox",
        projects=projects,
        seconds=60,
        pace=SAME,
        exporter=Cost(cpu_seconds=cpu, peak_bytes=80_000_000),
        prometheus=Cost(cpu_seconds=1.0, peak_bytes=90_000_000),
        targets=Targets(
            cpu_share=0.1, p50=0.001, p99=0.002, slowest=0.003, samples=600, answered=made
        ),
        seen=Seen(made=made, up=projects, loop=seen if loop else None),
    )


PEER, OURS = _run(500, 9.0, loop=False), _run(500, 1.0, loop=True)


@pytest.mark.parametrize(
    ("run", "runs", "share"),
    [
        (OURS, [PEER, OURS], 0.2),
        (PEER, [PEER, OURS], None),
        (OURS, [OURS], None),
        (OURS, [_run(50, 9.0, loop=False), OURS], None),
        (replace(OURS, pace=SHIPPED), [PEER], None),  # the peer did less
    ],
)
def test_only_a_peer_that_did_the_same_is_compared_with(
    run: Run, runs: list[Run], share: float | None
) -> None:
    assert ratio(run, runs) == share


def _with_loop(run: Run, **changed: Any) -> Run:  # noqa: ANN401  any field
    assert run.seen.loop
    return replace(run, seen=replace(run.seen, loop=replace(run.seen.loop, **changed)))


BIG = _run(5000, 10.0, loop=True)
SLOW = Scrape(mean=0.016, slowest=0.05)


@pytest.mark.parametrize(
    ("runs", "broken"),
    [
        ([PEER, OURS, BIG], []),
        ([PEER, replace(OURS, exporter=Cost(cpu_seconds=1.6, peak_bytes=1))], ["of the peer's"]),
        ([_with_loop(BIG, lag_p99=0.051)], ["tick lag"]),
        ([_with_loop(BIG, lag_p99=nan)], ["tick lag"]),
        ([_with_loop(BIG, skipped={"health": 1})], ["skipped"]),
        ([_with_loop(BIG, health=SLOW, resources=SLOW)], ["of health", "of resources"]),
        ([replace(BIG, exporter=Cost(cpu_seconds=9, peak_bytes=121_000_000))], ["MB at the peak"]),
        ([replace(OURS, targets=replace(OURS.targets, cpu_share=0.6))], ["60% of a core"]),
        ([replace(OURS, targets=replace(OURS.targets, p99=inf))], ["in inf ms"]),
        ([replace(OURS, seen=replace(OURS.seen, up=499))], ["499 projects up"]),
        ([replace(PEER, seen=replace(PEER.seen, made={"health": 3000}))], ["0 probes made of met"]),
        (
            [replace(OURS, targets=replace(OURS.targets, answered={"health": 9, "metrics": 1000}))],
            ["9 requests answered of health instead of 3000"],
        ),
        ([replace(PEER, seconds=65)], []),  # no whole intervals: a probe more or less a project
        ([replace(PEER, seconds=70)], ["3000 probes made of health instead of 3500"]),
    ],
)
def test_what_does_not_hold_is_said(runs: list[Run], broken: list[str]) -> None:
    said = [each.what for each in verdicts(runs) if not each.holds]
    assert [part in what for part, what in zip(broken, said, strict=True)] == [True] * len(broken)


def test_a_table_has_its_words_to_the_left_and_its_figures_to_the_right() -> None:
    rows = [["projects", "side", "CPU s"], ["50", "ours", "0.1"], ["500", "blackbox", "12.25"]]
    assert table.markdown(rows).splitlines() == [
        "| projects | side     | CPU s |",
        "| -------- | -------- | ----: |",
        "| 50       | ours     |   0.1 |",
        "| 500      | blackbox | 12.25 |",
    ]


def test_the_tables_hold_the_comparison() -> None:
    shown = table.render([PEER, OURS])
    [cells] = [line.split("|") for line in shown.splitlines() if "0.20x" in line]
    assert [cell.strip() for cell in cells[1:-1]] == [
        *("500", "ours", "67", "1.00", "1.00", "2.00", "0.20x", "80", "90")
    ]


def test_the_peer_alone_has_a_table_without_a_loop() -> None:
    assert "tick lag" not in table.render([PEER])


def test_the_json_is_json_and_knows_no_infinity() -> None:
    lost = replace(PEER, targets=replace(PEER.targets, slowest=inf))
    text = json.dumps(table.json([lost], verdicts([lost]), {"seconds": 60}), allow_nan=False)
    assert json.loads(text)["runs"][0]["targets"]["slowest"] is None


@pytest.mark.parametrize(
    "options", [["--projects", "0"], ["--projects", "a,b"], ["--seconds", "1"], ["--what"]]
)
def test_a_wrong_option_ends_with_2(options: list[str]) -> None:
    assert CliRunner().invoke(main, options).exit_code == 2
