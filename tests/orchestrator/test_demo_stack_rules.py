"""The rules and the routing as the demo runs them: those that we ship, at its ports and pace."""

import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.demo.stack import FAST
from tests.orchestrator.test_demo_stack import CHECKOUT, CHOSEN, NAMED, SWAPPED, content, written

SHIPPED = CHECKOUT / "rules"
FILES = ("prometheus.yml", *NAMED, "alertmanager.yml")


def _leaves(content: object, path: str = "") -> dict[str, object]:
    """Flatten YAML into its scalars, by their paths."""
    if isinstance(content, dict):
        pairs = [(f"{path}.{key}", value) for key, value in content.items()]
    elif isinstance(content, list):
        pairs = [(f"{path}[{place}]", value) for place, value in enumerate(content)]
    else:
        return {path: content}
    return {name: leaf for inner, value in pairs for name, leaf in _leaves(value, inner).items()}


def _all(folder: Path) -> dict[str, object]:
    """Return every scalar of every file that we ship, as it is in *folder*."""
    return _leaves({name.removesuffix(".yml"): content(folder / name) for name in FILES})


def _changed(folder: Path) -> dict[str, object]:
    """Return what the files in *folder* say otherwise than those that we ship, or more."""
    shipped, found = _all(SHIPPED), _all(folder)
    assert [path for path in shipped if path not in found] == []
    return {path: leaf for path, leaf in found.items() if leaf != shipped.get(path)}


def test_what_we_ship_is_what_the_demo_runs(tmp_path: Path) -> None:
    assert _changed(written(tmp_path)) == {}


@pytest.mark.parametrize("ports", [CHOSEN, SWAPPED], ids=["others", "swapped"])
def test_chosen_ports_change_the_addresses_and_nothing_else(
    tmp_path: Path, ports: dict[str, int]
) -> None:
    found = _changed(written(tmp_path, ports=ports))
    ports_found = {
        path: int(re.findall(r"127\.0\.0\.1:(\d+)", str(leaf))[0]) for path, leaf in found.items()
    }
    programs = ("exporter", "exporter", "webhook", "prometheus", "alertmanager")
    assert ports_found == {
        ".prometheus.alerting.alertmanagers[0].static_configs[0].targets[0]": ports["alertmanager"],
        **{
            f".prometheus.scrape_configs[{place}].static_configs[0].targets[0]": ports[program]
            for place, program in enumerate(programs)
        },
        ".alertmanager.receivers[0].webhook_configs[0].url": ports["webhook"],
    }


def test_fast_changes_exactly_these_intervals_beside_each_for_and_settle(tmp_path: Path) -> None:
    found = _changed(written(tmp_path, pace=FAST))
    groups = {name: len(content(SHIPPED / name)["groups"]) for name in NAMED}
    held = (".for", ".settle")
    assert {path: leaf for path, leaf in found.items() if not path.endswith(held)} == {
        ".prometheus.scrape_configs[0].scrape_interval": "500ms",
        ".prometheus.scrape_configs[0].scrape_timeout": "500ms",
        ".prometheus.scrape_configs[1].scrape_interval": "1s",
        ".prometheus.scrape_configs[1].scrape_timeout": "1s",
        **{
            f".{name.removesuffix('.yml')}.groups[{place}].interval": "500ms"
            for name, count in groups.items()
            for place in range(count)
        },
        ".alertmanager.route.routes[4].group_interval": "1s",
    }


def _rules(folder: Path) -> list[dict[str, Any]]:
    groups = [group for name in NAMED for group in content(folder / name)["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_fast_holds_no_alert_longer_than_2_s_but_for_those_about_ourselves(tmp_path: Path) -> None:
    shipped, fast = _rules(SHIPPED), _rules(written(tmp_path, pace=FAST))
    held = [
        (was["for"], now["for"], was["labels"].get("scope"))
        for was, now in zip(shipped, fast, strict=True)
        if "for" in was
    ]
    assert {scope for _, _, scope in held} == {"self", None}
    assert [now for was, now, scope in held if now != (was if scope else "2s")] == []


def test_fast_lets_no_alert_settle_longer_than_2_s_but_for_those_about_ourselves(
    tmp_path: Path,
) -> None:
    shipped, fast = _rules(SHIPPED), _rules(written(tmp_path, pace=FAST))
    settle = [
        (was["annotations"]["settle"], now["annotations"]["settle"], was["labels"].get("scope"))
        for was, now in zip(shipped, fast, strict=True)
        if "settle" in was.get("annotations", {})
    ]
    assert [now for was, now, scope in settle if now != (was if scope else "2s")] == []
