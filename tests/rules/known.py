"""What the rules may read: the declared metrics and our own records, with their labels."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator.metrics import METRICS, Kind, Metric
from tests.rules import promql, ruleset
from tests.rules.promql import Alternatives
from tests.rules.ruleset import Rule

OWN = "*"  # stands for a project's own labels; no rule can know their names
TARGET = frozenset({"instance", "job"})
SCRAPE = timedelta(seconds=15)
SCRAPE_OF_HEALTH = timedelta(seconds=1)  # of project_up alone
PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that a rule may refer to."""

    records: tuple[Rule, ...]
    folder: Path = ruleset.ROOT  # where docs/ is

    def metric(self, name: str) -> Metric | None:
        """Return the declared metric that has a series of this name."""
        if name in METRICS:
            return METRICS[name] if METRICS[name].kind is not Kind.HISTOGRAM else None
        part = next((each for each in PARTS if name.endswith(each)), "")
        metric = METRICS.get(name.removesuffix(part))
        return metric if metric and metric.kind is Kind.HISTOGRAM else None

    def recording(self, name: str) -> list[Rule]:
        """Return the rules that record *name*."""
        return [rule for rule in self.records if rule.name == name]

    def labels(self, name: str) -> Alternatives:
        """Return the labels of a metric or a record; nothing for what is neither."""
        metric = self.metric(name)
        if metric is None:
            return frozenset(
                labels.union(rule.labels)
                for rule in self.recording(name)
                for labels in promql.results(promql.parse(rule.expr), self.labels)
            )
        own = {OWN} if metric.program == "exporter" and "project" in metric.labels else set()
        le = {"le"} if name.endswith("_bucket") else set()
        return frozenset({frozenset(metric.labels) | TARGET | own | le})

    def interval(self, name: str) -> timedelta:
        """Return how far apart the samples of *name* are."""
        if name == "project_up":
            return SCRAPE_OF_HEALTH
        return max((rule.interval for rule in self.recording(name)), default=SCRAPE)
