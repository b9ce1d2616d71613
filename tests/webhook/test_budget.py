"""What is left of the attempts, as the guards count them."""

from datetime import timedelta

from orchestrator.guards import Guarding, WrittenGuards, WrittenLimits
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook.budget import Budget, spent

HOUR = timedelta(hours=1)


def test_attempts_within_the_window_are_spent_by_project_and_action() -> None:
    attempts = (
        make.action(executed_at=NOW - HOUR, state=law.State.COMPLETED),
        make.action(executed_at=NOW - 5 * SECOND, state=law.State.FAILED),
        make.action(name="clear_cache", executed_at=NOW - SECOND, state=law.State.COMPLETED),
    )
    assert spent(make.config(), attempts, now=NOW) == (
        Budget(
            project="email-blast",
            action="clear_cache",
            made=1,
            allowed=3,
            window=HOUR,
            tripped=False,
        ),
        Budget(
            project="email-blast",
            action="restart_service",
            made=1,
            allowed=3,
            window=HOUR,
            tripped=False,
        ),
    )


def test_the_narrower_guard_counts_and_nothing_is_less_than_none() -> None:
    own = WrittenGuards(actions={"restart_service": WrittenLimits(attempts=1, breaker=2)})
    config = make.config(guards=Guarding(projects={"email-blast": own}))
    attempts = [make.action(executed_at=NOW - SECOND, state=law.State.FAILED)] * 2
    [found] = spent(config, attempts, now=NOW)
    assert (found.made, found.allowed, found.left, found.tripped) == (2, 1, 0, True)


def test_a_project_that_left_the_configuration_has_no_budget() -> None:
    assert spent(make.config(projects={}), [make.action()], now=NOW) == ()
