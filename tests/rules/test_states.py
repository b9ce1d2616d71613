"""The states that `orchestrator status` shows, as Prometheus answers the webhook's question."""

import subprocess
from pathlib import Path

import pytest
import yaml

from orchestrator.demo.binaries import Binaries
from webhook.prometheus import NEWLY, STATES


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        ({"up": 1, "healthy": 1, "down": 0}, "healthy"),
        ({"up": 1, "healthy": 0, "degraded": 1}, "degraded"),
        ({"up": 1, "paused": 1}, "paused"),
        ({"up": 0, "healthy": 1, "down": 0}, "down"),  # it fell since the state was scraped
        ({"up": 1, "healthy": 0, "down": 1}, "healthy"),  # it answers since then
        ({"up": 0, "down": 1}, "down"),
        ({"up": 0}, "down"),  # before the first scrape of its state
        ({"down": 1}, "down"),
        ({}, None),
    ],
)
def test_what_is_newer_counts(
    tools: Binaries, tmp_path: Path, figures: dict[str, int], state: str | None
) -> None:
    names = {"up": 'project_up{project="a"}'}
    series: list[dict[str, object]] = [
        {"series": names.get(each, f'project_state{{project="a",state="{each}"}}'), "values": value}
        for each, value in figures.items()
    ]
    labels = f'{{project="a",state="{state}"}}'
    samples = [] if state is None else [{"labels": labels, "value": 1}]
    query = f"({STATES}) * 0 + 1"
    asked: dict[str, object] = {"expr": query, "eval_time": "0s", "exp_samples": samples}
    _promtool(tools, tmp_path, series, asked)


@pytest.mark.parametrize(
    ("values", "newly"),
    [
        ("1x100", False),
        ("1x99 0x0", True),
        ("1x71 0x28", True),
        ("1x68 0x31", False),
        ("0x100", False),
        ("_x90 0x10", True),  # it is only just looked at
        ("_x60 0x40", False),
        ("1x50 0x40 1x1 0x20", True),
    ],
)
def test_what_is_down_for_less_than_half_a_minute_is_newly_down(
    tools: Binaries,
    tmp_path: Path,
    values: str,
    newly: bool,  # noqa: FBT001
) -> None:
    series: list[dict[str, object]] = [
        {"series": 'project_up{project="a",instance="x"}', "values": values}
    ]
    samples = [{"labels": '{project="a"}', "value": 0}] if newly else []
    asked: dict[str, object] = {"expr": NEWLY, "eval_time": "100s", "exp_samples": samples}
    _promtool(tools, tmp_path, series, asked)


def _promtool(
    tools: Binaries,
    folder: Path,
    series: list[dict[str, object]],
    asked: dict[str, object],
) -> None:
    case = folder / "states.yml"
    tested = {"interval": "1s", "input_series": series, "promql_expr_test": [asked]}
    case.write_text(yaml.safe_dump({"evaluation_interval": "1s", "tests": [tested]}))
    ran = subprocess.run(  # noqa: S603  a program of ours, no shell
        [tools.promtool, "test", "rules", case], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
