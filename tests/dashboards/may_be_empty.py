"""What finds nothing in a story in which everything happens, each with its reason."""

from collections.abc import Mapping
from typing import Final

from tests.dashboards.asked import Where

_ALONE = "an Alertmanager that is alone, as that of the demo, counts no members"
_NO_GRAFANA = "the demo has no Grafana; that of the compose file is scraped there"
_UNJUDGED = "no answer of the rules was judged, so there is nothing to be right about"

MAY_BE_EMPTY: Final[Mapping[Where, str]] = {
    ("orchestrator-internals", 21, "A"): "a stage fails only by a mistake of ours",
    ("orchestrator-internals", 65, "A"): _ALONE,
}
UNNAMED: Final[Mapping[Where, str]] = {  # labels that a row, a series or a mark may not have
    ("orchestrator-fleet", 14, "project"): "an alert about the orchestrator itself is of none",
}
UNTOLD: Final[Mapping[str, str]] = {  # metrics
    "alertmanager_cluster_members": _ALONE,
    "grafana_build_info": _NO_GRAFANA,
}
UNFOUND: Final[Mapping[str, str]] = {  # what a part of a query reads
    "alertmanager_cluster_members": _ALONE,
    "grafana_build_info": _NO_GRAFANA,
}
UNEVEN: Final[Mapping[Where, str]] = {  # queries of tables that have not a cell for each row
    ("orchestrator-fleet", 13, "H"): "nothing was done about a project that people left waiting",
    ("orchestrator-internals", 75, "B"): "none but the exporter has a shard",
    ("orchestrator-remediation", 35, "B"): _UNJUDGED,
    ("orchestrator-remediation", 35, "C"): _UNJUDGED,
    ("orchestrator-remediation", 35, "D"): _UNJUDGED,
    ("orchestrator-remediation", 35, "E"): _UNJUDGED,
}
