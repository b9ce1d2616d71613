"""Prometheus: does it answer, has it our rules, does it see our projects, and whom does it tell."""

from asyncio import gather
from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

from orchestrator.config import Config
from orchestrator.doctor.finding import Finding, fail, ok, warn
from orchestrator.doctor.question import Asker, Reply, clock, wrong

ABOUT = "prometheus"
WATCHDOG = "Watchdog"
TARGETS = 'up{job=~"exporter.*|webhook|alertmanager"}'

Json = dict[str, Any]


async def examine(ask: Asker, config: Config) -> list[Finding]:
    """Look at Prometheus, and at what it knows."""
    at = config.prometheus
    ready = await ask.get(f"{at}/-/ready")
    if not ready.good:
        do = "start it, or correct `prometheus` in orchestrator.yml; while it is away only what is"
        return [fail(ABOUT, f"{at}: {wrong(ready)}", f"{do} surely down is repaired")]
    built, rules, up, seen, told, own = await gather(
        ask.get(f"{at}/api/v1/status/buildinfo"),
        ask.get(f"{at}/api/v1/rules", {"type": "alert"}),
        ask.get(f"{at}/api/v1/query", {"query": TARGETS}),
        ask.get(f"{at}/api/v1/query", {"query": "count by (project) (project_up)"}),
        ask.get(f"{at}/api/v1/alertmanagers"),
        ask.get(f"{at}/api/v1/query", {"query": "webhook_build_info"}),
    )
    return [
        ok(ABOUT, f"{at} is ready, version {_read(built, _version) or 'unknown'}"),
        *clock(ABOUT, "Prometheus", ready.ahead),
        *_rules(_read(rules, _loaded), config),
        *_scrapes(_read(up, _vector), _read(own, _vector)),
        *_projects(_read(seen, _vector), config.projects),
        *_peers(_read(told, _active), config.alertmanagers),
    ]


def _read(reply: Reply, how: Callable[[Json], Any]) -> Any:  # noqa: ANN401  what *how* returns
    """Return what the answer holds; None when it is none that Prometheus gives."""
    try:
        return how(reply.data["data"]) if reply.good else None
    except (LookupError, TypeError, AttributeError, ValueError):
        return None


def _version(data: Json) -> str:
    return str(data["version"])


def _loaded(data: Json) -> list[Json]:
    return [
        {"name": str(rule["name"]), "labels": dict(rule["labels"]), "health": str(rule["health"])}
        for group in data["groups"]
        for rule in group["rules"]
    ]


def _vector(data: Json) -> list[tuple[Json, float]]:
    return [(dict(each["metric"]), float(each["value"][1])) for each in data["result"]]


def _active(data: Json) -> list[str]:
    return [str(each["url"]) for each in data["activeAlertmanagers"]]


def _silent(what: str) -> Finding:
    return fail(ABOUT, f"it does not tell {what}", "look at its log; is it a Prometheus at all?")


def _rules(loaded: list[Json] | None, config: Config) -> Iterator[Finding]:
    if loaded is None:
        yield _silent("its rules")
        return
    wanted = [*config.playbooks, WATCHDOG]
    good = 0
    for name in wanted:
        wrong = [*_rule(name, [each for each in loaded if each["name"] == name])]
        yield from wrong
        good += not wrong
    if good == len(wanted):
        yield ok(ABOUT, f"the rules of all {good} alerts that matter are loaded")


def _rule(name: str, found: list[Json]) -> Iterator[Finding]:
    if not found:
        lost = "nobody notices when alerts stop" if name == WATCHDOG else "its playbook never runs"
        do = f"load the files of rules/ (rule_files in prometheus.yml): else {lost}"
        yield fail(ABOUT, f"no rule is called {name}", do)
        return
    if any(each["health"] == "err" for each in found):
        yield fail(ABOUT, f"the rule {name} cannot be evaluated", "its page /rules says why")
    if name == WATCHDOG:
        return
    if not any(each["labels"].get("remediate") == "true" for each in found):
        do = 'add remediate: "true" to its labels, or take its playbook out'
        yield fail(ABOUT, f"the rule {name} has no label remediate, so nothing repairs it", do)


def _scrapes(up: list[tuple[Json, float]] | None, own: list[Any] | None) -> Iterator[Finding]:
    if up is None or own is None:
        yield _silent("what it scrapes")
        return
    down = [labels for labels, value in up if value != 1]
    for labels in down:
        said = f"it cannot scrape {labels.get('job')} at {labels.get('instance')}"
        yield fail(ABOUT, said, "its page /targets says why")
    if not own:
        do = "add the job `webhook` of rules/prometheus.yml: else no alert tells of its troubles"
        yield warn(ABOUT, "it has no figures of the webhook", do)
    if up and own and not down:
        yield ok(ABOUT, f"it scrapes all {len(up)} targets of ours")


def _projects(
    seen: list[tuple[Json, float]] | None, configured: Collection[str]
) -> Iterator[Finding]:
    if seen is None:
        yield _silent("which projects it sees")
        return
    missing = sorted({*configured} - {labels.get("project") for labels, _ in seen})
    for name in missing:
        do = "does the exporter run with this orchestrator.yml, and is it scraped?"
        yield fail(ABOUT, f"no project_up of {name}, so nobody notices when it is down", do)
    if not missing:
        yield ok(ABOUT, f"project_up is there for {_all(len(configured))}")


def _all(count: int) -> str:
    return "the one project" if count == 1 else f"all {count} projects"


def _peers(active: list[str] | None, configured: Collection[str]) -> Iterator[Finding]:
    if active is None:
        yield _silent("which Alertmanagers it knows")
        return
    if not active:
        yield fail(ABOUT, "it knows no Alertmanager", "set `alerting` in prometheus.yml")
        return
    known = {urlsplit(each).netloc for each in active}
    strange = [each for each in configured if urlsplit(each).netloc not in known]
    for each in strange:
        said = f"it sends no alerts to {each}, as far as the name tells"
        yield warn(ABOUT, said, "is that one of `alerting` in prometheus.yml, by another name?")
    if not strange:
        yield ok(ABOUT, f"it sends alerts to every Alertmanager of ours ({len(configured)})")
