"""The meters of the analyzer: its calls, their cost, its decisions, and how right it was.

No label is a stranger's word. A model that orchestrator.yml does not name, an action that is in no
catalogue and a reason that is none of ours are all `other`.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, product
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from orchestrator.lifecycle import ENDS
from orchestrator.metrics import METRICS
from orchestrator.prices import NANO
from webhook.analyzer import gate, learning
from webhook.analyzer.analysis import By, Decision, Ruling
from webhook.analyzer.answer import ESCALATE, NONE
from webhook.analyzer.call import Denied, Ended, Outcome, Window
from webhook.analyzer.circuit import State
from webhook.analyzer.learning import RIGHT, WRONG, Came, Score, Verdict
from webhook.analyzer.price import Usage
from webhook.catalogue import CATALOGUE
from webhook.evidence.item import Lack, Source
from webhook.store.spending import Spent

Made = TypeVar("Made", Counter, Gauge)

OTHER: Final = "other"
NO_GATE: Final = "none"  # every gate was open
CLAUDE, RULES, PEOPLE = "claude", "rules", "people"  # who is asked instead, beside the models
TOKENS: Final = ("input", "cache_read", "cache_write", "output", "thinking")
STATUSES: Final = (
    *("none", "200", "400", "401", "402", "403", "404", "408", "413", "429"),
    *("500", "502", "503", "504", "529"),
)
CIRCUIT: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}
REASONS: Final = frozenset(  # why another one is asked
    {*Outcome, *Window, "no_key", "no_price", "circuit", "queue", "late", "failed", "other"}
)
WHYS: Final = sorted(REASONS - {Outcome.OK})
ACTIONS: Final = (*CATALOGUE, NONE, ESCALATE)
LIKELY: Final = (  # decisions: whatever an answer of the analyzer, or of rules, can come to
    *((By.CLAUDE, action, Decision.AUTO, NO_GATE) for action in CATALOGUE),
    *product([By.CLAUDE], CATALOGUE, (Decision.HUMAN, Decision.ESCALATE), gate.NAMES[1:]),
    (By.CLAUDE, NONE, Decision.OBSERVE, NO_GATE),
    *product([By.CLAUDE], [NONE], [Decision.ESCALATE], gate.NOTHING[1:]),
    (By.CLAUDE, ESCALATE, Decision.ESCALATE, "action"),
    *((By.RULES, action, Decision.PLAYBOOK, NO_GATE) for action in ACTIONS),
    *((By.RULES, action, Decision.HUMAN, "answered") for action in CATALOGUE),
    *((By.RULES, action, Decision.ESCALATE, "answered") for action in (NONE, ESCALATE)),
)
RESULTS: Final = tuple(each.name.lower() for each in Came if each in RIGHT | WRONG)
KINDS: Final = (  # of what is kept out of evidence
    *("private_key", "cookie", "authorization", "assignment", "address", "token"),
    *("email", "query", "own"),
)

SECONDS: Final = (0.5, 1, 2, 5, 10, 20, 30, 45, 60)
SURE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Meters:
    """Everything that is counted of the analyzer. Lives as long as its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._models: frozenset[str] = frozenset()
        self._make_for_calls()
        self._make_for_budgets()
        self._make_for_answers()
        self._make_for_evidence()

    def _make_for_calls(self) -> None:
        self._requests = self._counter("claude_requests_total")
        self._duration = self._histogram("claude_request_duration_seconds", SECONDS)
        self._attempts = self._counter("claude_attempts_total")
        self._tokens = self._counter("claude_tokens_total")
        self._cost = self._counter("claude_cost_usd_total")
        self._circuit = self._gauge("claude_circuit_state")
        self._deprecated = self._gauge("claude_model_deprecated")

    def _make_for_budgets(self) -> None:
        self._left = self._gauge("claude_budget_remaining_usd")
        self._used = self._gauge("webhook_analyzer_budget_used_ratio")
        self._denied = self._counter("claude_budget_denied_total", product(Window))

    def _make_for_answers(self) -> None:
        self._decisions = self._counter("analyzer_decisions_total", LIKELY)
        self._confidence = self._histogram("analyzer_confidence", SURE)
        for pair in product(By, ("raw", "effective")):
            self._confidence.labels(*pair)
        self._fallbacks = self._counter(
            "analyzer_fallbacks_total", product([CLAUDE], [RULES], WHYS)
        )
        self._scores = Scores(
            self._gauge,
            self._counter("analyzer_outcomes_total", product(By, (*ACTIONS, OTHER), RESULTS)),
        )

    def _make_for_evidence(self) -> None:
        self._flags = self._counter("analyzer_injection_flags_total", product(Source))
        self._redactions = self._counter("analyzer_redactions_total", product(KINDS))
        self._missing = self._counter("analyzer_evidence_missing_total", product(Source, Lack))

    def follow(self, models: Sequence[str]) -> None:
        """Show these models from now on, each from 0, and no others; without a key it is none.

        Each is asked where the one before it gave no answer.

        What was counted of the others stays on the page, as every counter does.
        """
        for model in self._models - frozenset(models):
            self._circuit.remove(model)
            self._deprecated.remove(model)
        for model in frozenset(models) - self._models:
            self._circuit.labels(model).set(CIRCUIT[State.CLOSED])
            self._deprecated.labels(model).set(model in ENDS)
            self._cost.labels(model)
            _begin(self._requests, product([model], Outcome))
            self._duration.labels(model, Outcome.OK)  # the others would be 156 lines of each page
            _begin(self._attempts, product([model], STATUSES))
            _begin(self._tokens, product([model], TOKENS))
        for model, other in pairwise(models):
            _begin(self._fallbacks, product([model], [other], WHYS))
        self._models = frozenset(models)

    def ended(self, call: Ended) -> None:
        """Count a call that is over."""
        self.asked(call.model, call.outcome, call.seconds, status=call.status)
        self.spent(call.model, call.usage, call.counted)

    def asked(
        self, model: str, outcome: Outcome, seconds: float, *, status: int | None = None
    ) -> None:
        """Count a call by what became of it, with how long it took."""
        name = self._model(model)
        self._requests.labels(name, outcome).inc()
        self._duration.labels(name, outcome).observe(max(seconds, 0.0))
        told = "none" if status is None else str(status)
        self._attempts.labels(name, told if told in STATUSES else OTHER).inc()

    def spent(self, model: str, usage: Usage | None, cost: int) -> None:
        """Count the tokens of a call, if they are known, and its cost in nano-dollars."""
        name = self._model(model)
        if usage is not None:
            written = usage.write_5m + usage.write_1h
            many = (usage.input, usage.cache_read, written, usage.output, usage.thinking)
            for kind, each in zip(TOKENS, many, strict=True):
                self._tokens.labels(name, kind).inc(each)
        self._cost.labels(name).inc(cost / NANO)

    def circuit(self, model: str, state: State) -> None:
        """Show how the circuit of a model stands; of none that is not followed."""
        if model in self._models:
            self._circuit.labels(model).set(CIRCUIT[state])

    def budget(self, spent: Spent) -> None:
        """Show what is left of the budgets. Of a budget of 0 nothing is used up: it was never."""
        left, limits = spent.left, spent.limits
        self._left.labels(Window.DAY).set(left.day / NANO)
        self._left.labels(Window.MONTH).set(left.month / NANO)
        self._used.labels("daily").set(spent.day / limits.day if limits.day else 0)
        self._used.labels("monthly").set(spent.month / limits.month if limits.month else 0)

    def denied(self, denied: Denied) -> None:
        """Count a call that was not made, as a budget is used up."""
        self._denied.labels(denied.window).inc()

    def decided(self, by: By, action: str, ruling: Ruling) -> None:
        """Count what was decided on an answer, and how sure it was."""
        known = action if action in ACTIONS else OTHER
        closed = next((each.name for each in ruling.closed), NO_GATE)
        name = closed if closed in (*gate.NAMES, NO_GATE) else OTHER
        self._decisions.labels(by, known, ruling.decision, name).inc()
        self._confidence.labels(by, "raw").observe(ruling.raw)
        self._confidence.labels(by, "effective").observe(ruling.effective)

    def fell_back(self, from_: str, to: str, reason: str) -> None:
        """Count that *to* was asked instead of *from_*: models, `claude`, `rules` or `people`."""
        why = reason if reason in REASONS else OTHER
        self._fallbacks.labels(self._asked(from_), self._asked(to), why).inc()

    def flagged(self, source: Source) -> None:
        """Count that text of *source* looked as if it were meant to steer."""
        self._flags.labels(source).inc()

    def redacted(self, kind: str, many: int) -> None:
        """Count secrets that were kept out of evidence."""
        self._redactions.labels(kind if kind in KINDS else OTHER).inc(many)

    def missing(self, source: Source, reason: Lack) -> None:
        """Count that a source of evidence told nothing."""
        self._missing.labels(source, reason).inc()

    def scored(self, verdicts: Sequence[Verdict]) -> None:
        """Show how right the analyzer was by these verdicts, which are all of some time."""
        self._scores.show(verdicts)

    def _model(self, name: str) -> str:
        return name if name in self._models else OTHER

    def _asked(self, name: str) -> str:
        return name if name in (CLAUDE, RULES, PEOPLE) else self._model(name)

    def _counter(self, name: str, known: Iterable[tuple[str, ...]] = ()) -> Counter:
        """Make one that shows *known* from the start: a rise from nothing is none to Prometheus."""
        made = self._make(Counter, name)
        _begin(made, known)
        return made

    def _gauge(self, name: str) -> Gauge:
        return self._make(Gauge, name)

    def _make(self, kind: type[Made], name: str) -> Made:
        metric = METRICS[name]
        return kind(name, metric.help, metric.labels, registry=self._registry)

    def _histogram(self, name: str, buckets: Sequence[float]) -> Histogram:
        metric = METRICS[name]
        return Histogram(name, metric.help, metric.labels, buckets=buckets, registry=self._registry)


def _begin(counter: Counter, known: Iterable[tuple[str, ...]]) -> None:
    for labels in known:
        counter.labels(*labels)


class Scores:
    """How right the analyzer was. What the database held at the first look is not counted anew."""

    def __init__(self, gauge: Callable[[str], Gauge], outcomes: Counter) -> None:
        self._outcomes = outcomes
        self._seen: set[int] | None = None  # analyses that are counted
        self._labelled = gauge("analyzer_labelled_answers")
        self._figures: dict[Gauge, Callable[[Score], float | None]] = {
            gauge("analyzer_accuracy_ratio"): lambda score: score.accuracy.rate,
            gauge("analyzer_brier_score"): lambda score: score.brier,
            gauge("analyzer_brier_skill_ratio"): lambda score: score.skill,
            gauge("analyzer_ece"): lambda score: score.ece,
        }
        for by in By:
            self._labelled.labels(by)

    def show(self, verdicts: Sequence[Verdict]) -> None:
        """Reckon all of them anew, for each analyzer, and count what has turned out since then."""
        for by in By:
            score = learning.score([each for each in verdicts if each.analyzer == by])
            self._labelled.labels(by).set(score.accuracy.of)
            for figure, told in self._figures.items():
                value = told(score)
                if value is None:
                    figure.remove(by)
                else:
                    figure.labels(by).set(value)
        self._count(verdicts)

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        labelled = {each.analysis: each for each in verdicts if each.right is not None}
        if self._seen is not None:
            for number in labelled.keys() - self._seen:
                self._outcomes.labels(*_result(labelled[number])).inc()
        # One whose label is taken back is not counted again with its next one.
        there = {each.analysis for each in verdicts}
        self._seen = ((self._seen or set()) & there) | labelled.keys()


def _result(verdict: Verdict) -> tuple[str, str, str]:
    by = verdict.analyzer if verdict.analyzer in set(By) else OTHER
    action = verdict.action if verdict.action in ACTIONS else OTHER
    return by, action, verdict.came.name.lower()
