"""What `orchestrator demo` says to people who look around."""

from pathlib import Path

import pytest

from orchestrator.cli.demo import questions


@pytest.mark.parametrize(
    ("url", "at"),
    [("http://127.0.0.1:4001", ""), ("http://127.0.0.1:5001", " --url http://127.0.0.1:5001")],
)
def test_it_says_how_to_ask_the_webhook(url: str, at: str) -> None:
    assert questions("bin/orchestrator", url, Path("/demo")) == [
        f"bin/orchestrator status{at}",
        f"bin/orchestrator incidents{at}",
        f"bin/orchestrator doctor --config /demo/orchestrator.yml --db /demo/orchestrator.db{at}",
    ]
