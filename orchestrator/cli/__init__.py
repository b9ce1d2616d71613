"""The command line: `orchestrator COMMAND`."""

import click

from orchestrator.cli import (
    act,
    analyzer,
    approvals,
    audit,
    check,
    demo,
    doctor,
    escalation,
    hands,
    history,
    incidents,
    keeping,
    maintenance,
    replay,
    status,
)
from orchestrator.version import VERSION


@click.group()
@click.version_option(VERSION)
def main() -> None:
    """Self-healing for Prometheus and Alertmanager: from probe to proven repair."""


for each in (
    act.act,
    analyzer.analyzer,
    approvals.approvals,
    approvals.approve,
    approvals.reject,
    audit.audit,
    keeping.backup,
    check.check,
    demo.demo,
    doctor.doctor,
    hands.hold,
    hands.release,
    hands.kill_switch,
    history.history,
    incidents.incidents,
    incidents.incident,
    maintenance.maintenance,
    replay.replay,
    keeping.restore,
    status.status,
    escalation.escalation,
):
    main.add_command(each)
