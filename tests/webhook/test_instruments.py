"""What the webhook tells of itself: all that the table declares, and nothing else."""

import time

from prometheus_client import exposition, parser

from orchestrator.metrics import exported
from webhook.instruments import Instruments


def _families() -> dict[str, tuple[str, str]]:
    page = exposition.generate_latest(Instruments("1").registry).decode()
    return {
        f"{each.name}_total" if each.type == "counter" else each.name: (
            each.type,
            each.documentation,
        )
        for each in parser.text_string_to_metric_families(page)
        if not each.name.endswith("_created")
    }


def test_every_family_is_declared_and_every_declared_one_is_there() -> None:
    declared = exported("webhook").items()
    assert _families() == {name: (str(metric.kind), metric.help) for name, metric in declared}


def test_it_tells_of_its_own_process() -> None:
    told = Instruments("1").registry.get_sample_value
    now = time.process_time()
    cpu, memory = told("process_cpu_seconds_total"), told("process_resident_memory_bytes")
    assert cpu is not None
    assert memory is not None
    assert (abs(cpu - now) < 1, memory > 1e6) == (True, True)


def test_two_of_them_share_nothing() -> None:
    first, second = Instruments("1"), Instruments("1")
    first.stage_failures.labels("repair").inc()
    told = second.registry.get_sample_value
    assert told("webhook_stage_failures_total", {"stage": "repair"}) is None
