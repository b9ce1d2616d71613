"""What the exporter tells of its configuration, as it is read again and again."""

from exporter import app
from exporter.instruments import Instruments

GOOD = "exporter_config_last_reload_successful"
FAILURES = "exporter_failures_total"


def test_a_configuration_is_good_until_one_is_refused_and_good_again_with_the_next() -> None:
    instruments = Instruments(version="1", shard="1/1")
    told = app._told(instruments)
    found = []
    for tell in (told.good, told.refused, told.good):
        tell()
        found.append(instruments.registry.get_sample_value(GOOD))
    assert found == [1.0, 0.0, 1.0]


def test_what_nobody_foresaw_is_counted() -> None:
    instruments = Instruments(version="1", shard="1/1")
    app._told(instruments).failed()
    assert instruments.registry.get_sample_value(FAILURES) == 1.0
