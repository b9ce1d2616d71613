"""What finds nothing in a story in which everything happens, each with its reason."""

from collections.abc import Mapping
from typing import Final

from tests.dashboards.answered import Lack
from tests.dashboards.asked import Where

_ALONE = "an Alertmanager that is alone, as that of the demo, counts no members"

MAY_BE_EMPTY: Final[Mapping[Where, str]] = {
    ("orchestrator-internals", 17, "B"): "no Alertmanager is gone, or else nothing would be healed",
    ("orchestrator-internals", 21, "A"): "a stage fails only by a mistake of ours",
    ("orchestrator-internals", 65, "A"): _ALONE,
}
UNNAMED: Final[Mapping[Lack, str]] = {  # labels that a row, a series or a mark may not have
    ("orchestrator-fleet", 14, "project"): "an alert about the orchestrator itself is of none",
    ("orchestrator-project", 9, "version"): "a project that never answered since has not said it",
}
UNSEEN: Final[Mapping[str, str]] = {  # metrics
    "alertmanager_cluster_members": _ALONE,
    "grafana_build_info": "the demo has no Grafana; that of the compose file is scraped there",
}
