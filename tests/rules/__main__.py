"""Check and test everything in rules/ with the real promtool and amtool."""

import os
import subprocess
import sys
from pathlib import Path

from orchestrator.demo import binaries
from orchestrator.errors import OrchestratorError

HERE = Path(__file__).parent
RULES = HERE.parent.parent / "rules"


def commands(tools: binaries.Binaries) -> list[list[str]]:
    """Return every check, as the command that makes it."""
    tests = sorted(str(path) for path in HERE.glob("*.yml"))
    rules = sorted(
        str(path)
        for path in RULES.glob("*.yml")
        if path.name not in {"prometheus.yml", "alertmanager.yml"}
    )
    promtool, amtool = str(tools.promtool), str(tools.amtool)
    return [
        [promtool, "check", "config", str(RULES / "prometheus.yml")],
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", *rules],
        [promtool, "test", "rules", *tests],
        [amtool, "check-config", str(RULES / "alertmanager.yml")],
    ]


def main() -> None:
    """Run every check; print what failed, and exit with 1 when one did."""
    try:
        tools = binaries.find(os.environ, Path(".tools"))  # noqa: TID251  the program's own edge
    except OrchestratorError as error:
        sys.exit(f"error: {error}")
    failed = 0
    for command in commands(tools):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            failed += 1
            print(" ".join(command), done.stdout, done.stderr, sep="\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
