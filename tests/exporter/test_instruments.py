"""What the exporter tells of its process and of the machine."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from exporter.instruments import Instruments

PINNED = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from exporter.instruments import Instruments
print(Instruments(version="1", shard="1/1").registry.get_sample_value("exporter_host_cpus"))
"""


def _value(metric: str) -> float:
    found = Instruments(version="1", shard="1/1").registry.get_sample_value(metric)
    assert found is not None
    return found


def test_the_processors_are_those_that_it_may_use() -> None:
    assert _value("exporter_host_cpus") == len(os.sched_getaffinity(0))


def test_processors_that_it_may_not_use_are_left_out() -> None:
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", PINNED], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "1.0\n"


def test_the_memory_is_that_of_the_machine() -> None:
    said = Path("/proc/meminfo").read_text(encoding="ascii")
    total = re.search(r"^MemTotal: +(\d+) kB$", said, re.MULTILINE)
    assert total
    assert _value("exporter_host_memory_bytes") == int(total[1]) * 1024


def test_it_tells_of_its_own_process() -> None:
    before = time.process_time()
    assert _value("process_cpu_seconds_total") >= before > 0
    assert 1e6 < _value("process_resident_memory_bytes") < _value("exporter_host_memory_bytes")
    assert _value("process_start_time_seconds") > 1e9
