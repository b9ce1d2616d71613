"""Who is told of what: rules/alertmanager.yml does as docs/routing.md says, by amtool."""

import re
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from orchestrator.demo.binaries import Binaries
from tests.rules.routing import (
    ALERTS,
    CONFIG,
    PAGE,
    ROWS,
    Labels,
    config,
    filled_in,
    promised,
)

DOMAINS = ("outreach", "support", "content")
TOLD = [labels for labels in ALERTS if "people" in promised(labels)]
REPAIRED = [labels for labels in ALERTS if labels.get("remediate") == "true"]
ABOUT_US = [
    labels
    for labels in ALERTS
    if labels.get("scope") == "self" and labels["alertname"] != "Watchdog"
]


def _amtool(tools: Binaries, *arguments: object) -> str:
    done = subprocess.run(  # noqa: S603  the tool that was found, no shell
        [tools.amtool, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _receivers(tools: Binaries, labels: Labels, path: Path = CONFIG) -> list[str]:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    test = ("config", "routes", "test", "--config.file", path)
    return _amtool(tools, *test, *pairs).strip().split(",")


def test_the_table_has_every_alert_with_its_severity_and_no_other() -> None:
    assert {(name, severity) for name, (severity, _) in ROWS.items()} == {
        (labels["alertname"], labels["severity"]) for labels in ALERTS
    }
    assert len(re.findall(r"(?m)^\| `", PAGE)) == len(ROWS)


def test_the_picture_has_every_route_and_how_long_it_waits() -> None:
    drawn = re.findall(r"(?m)─► (\w+) +(\d+) (s|min)$", PAGE)
    top = config()["route"]
    routes = [each for each in top["routes"] if each["receiver"] != "nobody"]
    assert [(name, f"{wait}{unit[0]}") for name, wait, unit in drawn] == [
        (each["receiver"], each.get("group_wait", top["group_wait"])) for each in routes
    ]


@pytest.mark.parametrize("labels", ALERTS, ids=lambda labels: labels["alertname"])
def test_an_alert_reaches_the_receivers_of_its_row_in_their_order(
    tools: Binaries, labels: Labels
) -> None:
    assert _receivers(tools, labels) == promised(labels)


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_people_are_told_is_told_to_its_domain_before_them(
    tools: Binaries, domain: str
) -> None:
    assert TOLD
    for labels in TOLD:
        told = _receivers(tools, {**labels, "domain": domain})
        others = [name for name in promised(labels) if name != "people"]
        assert told == [*others, domain, "people"], labels


def test_a_domain_without_a_receiver_reaches_the_coordinator(tools: Binaries) -> None:
    for labels in TOLD:
        told = _receivers(tools, {**labels, "domain": "unheard-of"})
        assert told == promised(labels)


def test_every_domain_is_in_the_docs_and_has_its_receiver() -> None:
    receivers = [each["name"] for each in config()["receivers"]]
    assert [name for name in DOMAINS if name not in receivers or f"`{name}`" not in PAGE] == []


def test_what_may_be_repaired_reaches_both_the_webhook_and_people(tools: Binaries) -> None:
    assert len(REPAIRED) == 5
    for labels in REPAIRED:
        assert _receivers(tools, labels) == ["webhook", "people"]


def test_what_is_wrong_with_us_never_goes_through_us(tools: Binaries) -> None:
    assert ABOUT_US
    for labels in ABOUT_US:
        mislabelled = {**labels, "remediate": "true", "domain": "support", "project": "chatbot"}
        for each in (labels, mislabelled):
            assert _receivers(tools, each) in (["operators"], ["nobody"])


def test_what_the_webhook_asks_never_comes_back_to_it(tools: Binaries) -> None:
    mislabelled = {"remediate": "true", "scope": "self", "alertname": "Watchdog"}
    assert _receivers(tools, {**mislabelled, "source": "orchestrator"}) == ["people"]


def test_what_is_only_worth_a_look_is_sent_to_nobody(tools: Binaries) -> None:
    assert _receivers(tools, {"severity": "info", "domain": "support"}) == ["nobody"]
    assert [each for each in config()["receivers"] if each["name"] == "nobody"] == [
        {"name": "nobody"}
    ]


def test_the_examples_of_receivers_are_accepted(tools: Binaries, tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(filled_in(), encoding="utf-8")
    _amtool(tools, "check-config", path)
    kinds = {each["name"]: {*each} - {"name"} for each in yaml.safe_load(filled_in())["receivers"]}
    assert [name for name, its in kinds.items() if not its] == ["nobody"]
    assert kinds["people"] == {"email_configs", "slack_configs", "webhook_configs"}


def test_no_example_follows_redirects_cuts_messages_or_ends_the_switch() -> None:
    hooks = {
        each["name"]: hook
        for each in yaml.safe_load(filled_in())["receivers"]
        for hook in each.get("webhook_configs", [])
    }
    assert {*hooks} == {"webhook", "people", "content", "deadman"}
    for name, hook in hooks.items():
        assert (hook["max_alerts"], hook["http_config"]["follow_redirects"]) == (0, False)
        assert hook["send_resolved"] is (name != "deadman")


def test_the_docs_show_the_example_for_slack_as_it_is_in_the_file() -> None:
    [shown] = re.findall(r"(?s)```yaml\n(slack_configs:\n.+?)```", PAGE)
    assert shown in dedent(filled_in().split("- name: people\n")[1].replace("\n    ", "\n"))


def test_the_routes_are_the_same_as_the_demo_writes_them(tools: Binaries, tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config(), sort_keys=False), encoding="utf-8")
    _amtool(tools, "check-config", path)
    assert _amtool(tools, "config", "routes", "--config.file", path) == _amtool(
        tools, "config", "routes", "--config.file", CONFIG
    )
