"""Stories of incidents, one for every way that one can go, each with what a person reads of it."""

from tests.webhook import make
from tests.webhook.make import NOW
from tests.webhook.stories import CLOSED, FAILED, asked, at, down, high, story, tried
from webhook import action as law
from webhook.approval import Decision
from webhook.incident import State
from webhook.story import Story

STORIES: dict[str, tuple[Story, str]] = {
    "restarted once": (
        story(down(), actions=(tried(),)),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Restarted once, and it worked."
            " Total downtime 8 seconds."
        ),
    ),
    "the second attempt": (
        story(down(), actions=(tried(FAILED), tried())),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Restarted twice, and the second"
            " time it worked. Total downtime 8 seconds."
        ),
    ),
    "the fourth attempt": (
        story(down(), actions=(tried(FAILED), tried(FAILED), tried(FAILED), tried())),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Restarted 4 times, and the last"
            " time it worked. Total downtime 8 seconds."
        ),
    ),
    "two attempts, then people": (
        story(
            down(end=None),
            incident=make.incident(
                state=State.ESCALATED,
                escalated_at=at(60),
                held="restart_service did not help twice",
            ),
            actions=(tried(FAILED), tried(FAILED)),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. Restarted twice, and neither helped."
            " People were asked at 12:01:00 UTC: restart_service did not help twice."
        ),
    ),
    "healed by people, and somebody took it": (
        story(
            down(end=90),
            incident=make.incident(
                state=State.CLOSED, escalated_at=at(60), ended_at=at(120), held=None
            ),
            actions=(tried(FAILED), tried(FAILED), tried(FAILED)),
            how="recovered after people were asked",
            acknowledged_at=at(70),
            acknowledged_by="ann",
        ),
        (
            "email-blast was down from 12:00:02 to 12:01:30 UTC. Restarted three times, and none of"
            " them helped. People were asked at 12:01:00 UTC. ann took it at 12:01:10 UTC. It"
            " recovered after that. Total downtime 1 minute 28 seconds."
        ),
    ),
    "by itself": (
        story(down(), incident=CLOSED, how="recovered by itself"),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Nothing was done to it. It"
            " recovered by itself. Total downtime 8 seconds."
        ),
    ),
    "removed": (
        story(down(end=None), incident=CLOSED, how="removed from orchestrator.yml"),
        (
            "email-blast has been down since 12:00:02 UTC. Nothing was done to it. Its project was"
            " removed from orchestrator.yml."
        ),
    ),
    "it ended in a way that nobody has words for": (
        story(down(), incident=CLOSED, how="refused: cooldown, 5 s more."),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Nothing was done to it. It ended:"
            " refused: cooldown, 5 s more. Total downtime 8 seconds."
        ),
    ),
    "its last event is gone": (
        story(high(), incident=CLOSED, actions=(tried(FAILED, "clear_cache"),)),
        (
            "ProjectHighCPU fired for email-blast from 12:00:02 to 12:00:10 UTC. Cleared its cache"
            " once, which did not help. It ended after that."
        ),
    ),
    "held": (
        story(
            down(end=None),
            incident=make.incident(held="cooldown: restart_service was 3 s ago", held_by="x"),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. Nothing is being done at the moment:"
            " cooldown: restart_service was 3 s ago."
        ),
    ),
    "just begun": (
        story(down(end=None), incident=make.incident()),
        "email-blast has been down since 12:00:02 UTC. Nothing is being done at the moment.",
    ),
    "under way": (
        story(
            down(end=None),
            incident=make.incident(state=State.VERIFYING),
            actions=(tried(law.State.EXECUTING),),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. Restarted once, and whether it helps is"
            " not known yet."
        ),
    ),
    "in doubt": (
        story(
            down(end=None),
            incident=make.incident(state=State.ESCALATED, escalated_at=NOW),
            actions=(tried(law.State.UNKNOWN, "command:wipe"),),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. Ran command:wipe once, and nobody knows"
            " what came of it. People were asked at 12:00:00 UTC."
        ),
    ),
    "waiting": (
        story(
            down(end=None),
            incident=make.incident(state=State.AWAITING_APPROVAL),
            actions=(tried(law.State.PENDING, executed_at=None),),
            approvals=(asked(),),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. Approval 12 waits for an answer until"
            " 12:05:00 UTC: restart_service on email-blast waits for a human: it is critical."
        ),
    ),
    "allowed, and not begun": (
        story(
            down(end=None),
            incident=make.incident(state=State.AWAITING_APPROVAL),
            actions=(tried(law.State.PENDING, executed_at=None),),
            approvals=(asked(Decision.APPROVED, decided_by="ann"),),
        ),
        "email-blast has been down since 12:00:02 UTC. It waits for what was allowed to be done.",
    ),
    "allowed by ann": (
        story(
            down(),
            actions=(tried(),),
            approvals=(asked(Decision.APPROVED, decided_by="ann", reason="go"),),
        ),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Restarted once, allowed by ann,"
            " and it worked. Total downtime 8 seconds."
        ),
    ),
    "asked for by ann": (
        story(down(), actions=(tried(),), asked_by={"key-1": "ann"}),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. Restarted once, asked for by ann,"
            " and it worked. Total downtime 8 seconds."
        ),
    ),
    "asked for, and nothing fired": (
        story(
            incident=CLOSED,
            actions=(tried(alertname=""),),
            asked_by={"key-1": "ann"},
            how="restart_service, asked for by ann, was proven",
        ),
        (
            "No alert of email-blast fired. Restarted once, asked for by ann, and it was proven. It"
            " ended: restart_service, asked for by ann, was proven."
        ),
    ),
    "a no": (
        story(
            down(end=None),
            incident=make.incident(state=State.ESCALATED, escalated_at=at(9)),
            actions=(tried(law.State.REJECTED, executed_at=None),),
            approvals=(asked(Decision.REJECTED, decided_by="bob", reason="a sale goes on."),),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. bob answered approval 12 with no: a sale"
            " goes on. People were asked at 12:00:09 UTC."
        ),
    ),
    "no answer, and none needed": (
        story(
            down(end=None),
            incident=make.incident(),
            approvals=(
                asked(Decision.EXPIRED),
                asked(Decision.WITHDRAWN, id=13, reason="the alert has ended"),
            ),
        ),
        (
            "email-blast has been down since 12:00:02 UTC. Approval 12 expired without an answer."
            " Approval 13 was withdrawn: the alert has ended. Nothing is being done at the moment."
        ),
    ),
    "mitigated": (
        story(
            high(end=None),
            incident=make.incident(state=State.MITIGATED, since=at(30)),
            actions=(tried(name="pause_service", alertname="ProjectHighCPU"),),
        ),
        (
            "ProjectHighCPU has fired for email-blast since 12:00:02 UTC. Paused once, and that"
            " made it harmless. It has been harmless since 12:00:30 UTC, and is not healed."
        ),
    ),
    "paused and resumed": (
        story(
            high(),
            actions=(tried(name="pause_service", key="key-0"), tried(name="resume_service")),
        ),
        (
            "ProjectHighCPU fired for email-blast from 12:00:02 to 12:00:10 UTC. Paused once, and"
            " that made it harmless. Resumed once, and it worked."
        ),
    ),
    "one step after the other": (
        story(
            high(name="ProjectHighErrorRate"),
            actions=(tried(FAILED), tried(FAILED), tried(name="rollback_deployment")),
        ),
        (
            "ProjectHighErrorRate fired for email-blast from 12:00:02 to 12:00:10 UTC. Restarted"
            " twice, and neither helped. Rolled back once, and it worked."
        ),
    ),
    "one alert ended, another goes on": (
        story(down(), high(4, None), incident=make.incident(), actions=(tried(), tried(FAILED))),
        (
            "email-blast was down from 12:00:02 to 12:00:10 UTC. ProjectHighCPU has fired, too,"
            " since 12:00:04 UTC. Restarted once, and ProjectDown ended. Restarted once, which did"
            " not help. Nothing is being done at the moment. Total downtime 8 seconds."
        ),
    ),
    "one alert ended, another of the same project began later": (
        story(
            high(2, 3, "ProjectHighErrorRate"),
            high(60, None),
            incident=make.incident(),
            actions=(tried(name="rollback_deployment"), tried(FAILED, "pause_service")),
        ),
        (
            "ProjectHighErrorRate fired for email-blast from 12:00:02 to 12:00:03 UTC."
            " ProjectHighCPU has fired for email-blast since 12:01:00 UTC. Rolled back once, and"
            " ProjectDown ended. Paused once, which did not help. Nothing is being done at the"
            " moment."
        ),
    ),
    "two alerts go on, one of them again": (
        story(
            high(2, 3),
            high(60, None),
            high(70, None, "ProjectHighMemory"),
            incident=make.incident(),
        ),
        (
            "ProjectHighCPU fired for email-blast from 12:00:02 to 12:00:03 UTC. ProjectHighCPU and"
            " ProjectHighMemory have fired for email-blast since 12:01:00 UTC. Nothing is being"
            " done at the moment."
        ),
    ),
    "twice": (
        story(down(), down(20, 25), actions=(tried(),)),
        (
            "email-blast was down twice, from 12:00:02 to 12:00:10 UTC and from 12:00:20 to"
            " 12:00:25 UTC. Restarted once, and it worked. Total downtime 13 seconds."
        ),
    ),
    "many times, and again": (
        story(
            *(down(20 * each, 20 * each + 1) for each in range(5)),
            down(200, None),
            incident=make.incident(),
        ),
        (
            "email-blast was down 5 times from 12:00:00 to 12:01:21 UTC, and is down again since"
            " 12:03:20 UTC. Nothing is being done at the moment. Total downtime before that 5"
            " seconds."
        ),
    ),
    "five alerts": (
        story(*(high(name=f"Alert{each}") for each in range(5)), incident=CLOSED),
        (
            "Alert0, Alert1, Alert2 and 2 more fired for email-blast from 12:00:02 to 12:00:10 UTC."
            " Nothing was done to it. It ended after that."
        ),
    ),
    "over midnight": (
        story(down(0, 43_260), actions=(tried(),)),
        (
            "email-blast was down from 2026-11-21 12:00:00 to 2026-11-22 00:01:00 UTC. Restarted"
            " once, and it worked. Total downtime 12 hours 1 minute."
        ),
    ),
}
