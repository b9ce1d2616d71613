"""The HTTP side: one module for each thing that can be asked about."""

from webhook.api import (
    acknowledgement,
    act,
    analyzer,
    approvals,
    audit,
    description,
    events,
    fleet,
    history,
    incidents,
    receiver,
    restraints,
    stream,
    system,
)
from webhook.api.operation import Table

TABLES: tuple[Table, ...] = (
    receiver.table,
    approvals.table,
    act.table,
    events.table,
    audit.table,
    stream.table,
    incidents.table,
    analyzer.table,
    history.table,
    acknowledgement.table,
    restraints.table,
    fleet.table,
    system.table,
    description.table,
)
