"""Baselines: answers that need no thought. An analyzer that is no better is not worth its money."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from webhook.analyzer import rules
from webhook.analyzer.answer import ESCALATE, NONE, Answer, Category, Claim, Target
from webhook.evaluation.scenario import Scenario, Split
from webhook.evidence.item import Pack

RESTART = "restart_service"

Analyzer = Callable[[Pack], Answer]


def always(action: str, category: Category = Category.UNKNOWN) -> Analyzer:
    """Return an analyzer that says *action* to everything, as sure as one can be of that."""

    def answer(pack: Pack) -> Answer:
        ids = tuple(sorted(pack.measured or pack.ids))[:1]
        return Answer(
            rationale=(Claim(claim="It is what is always said.", evidence_ids=ids),),
            alternatives=(),
            root_cause_category=category,
            root_cause="Nobody has looked.",
            action=action,
            target_ref=Target.NONE if action in {NONE, ESCALATE} else Target.ALERT_TARGET,
            confidence=0.5,
            missing_evidence=(),
            suspicious_text=False,
        )

    return answer


def majority(scenarios: Iterable[Scenario]) -> Analyzer:
    """Return an analyzer that says what is right most often in the scenarios for development."""
    seen = [each for each in scenarios if each.split is Split.DEV]
    actions = Counter(action for each in seen for action in sorted(each.truth.acceptable))
    categories = Counter(each.truth.category for each in seen)
    if not seen:
        return always(ESCALATE)
    return always(max(sorted(actions), key=actions.__getitem__), categories.most_common(1)[0][0])


def known(scenarios: Iterable[Scenario]) -> Mapping[str, Analyzer]:
    """Return every analyzer that needs no model, by its name."""
    return {
        "rules": rules.answer,
        "always escalate": always(ESCALATE),
        "always restart": always(RESTART, Category.PROCESS_DOWN),
        "majority": majority(scenarios),
    }
