"""Rules: the configurations that a story goes by, one after another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.commands import Command
from orchestrator.config import Analyzer, Config
from orchestrator.project import Mode as Way
from tests.webhook import make
from tests.webhook.laws.fleet import CPU, DOWN, MEMORY, PROJECTS

Mode = Literal["always", "on_failure", "off"]
LIMITS: tuple[Mapping[str, object], ...] = (
    {},
    {"attempts": 1},
    {"breaker": 1, "cooldown": "0s"},
    {"breaker": 3, "attempts": 3, "cooldown": "1s", "window": "5m"},
    {"approval": "always", "approval_within": "1m"},
    {"approval": "never", "resume_after": "2s", "fleet_min": 9},
    {"concurrency": 1, "resume_after": "2s"},
    {"dry_run": True},
    {"actions": {"restart_service": {"dry_run": True}, "clear_cache": {"dry_run": True}}},
)
PLAYBOOKS: dict[bool, dict[str, tuple[str, ...]]] = {  # with commands, and without
    True: {
        DOWN: ("restart_service", "command:again"),
        MEMORY: ("command:once", "clear_cache"),
        CPU: ("pause_service", "stop_service"),
    },
    False: {
        DOWN: ("restart_service",),
        MEMORY: ("clear_cache", "restart_service"),
        CPU: ("pause_service",),
    },
}
ALLOW = {DOWN: ("rollback_deployment",), CPU: ("clear_cache",)}  # what the analyzer may propose
COMMANDS = {
    "once": Command(argv=("/bin/true",)),
    "again": Command(argv=("/bin/true",), repeatable=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What orchestrator.yml says at the moment."""

    known: frozenset[str] = frozenset(PROJECTS)
    observed: frozenset[str] = frozenset()
    limits: Mapping[str, object] = field(default_factory=dict)
    mode: Mode = "on_failure"  # of the analyzer
    commands: bool = True  # whether there are any, and the playbooks use them

    def config(self) -> Config:
        """Return the configuration; `billing` is critical and depends on `chatbot`."""
        return make.config(
            projects={
                name: make.project(
                    name=name,
                    mode=Way.OBSERVE if name in self.observed else Way.ACT,
                    critical=name == "billing",
                    depends_on=("chatbot",)
                    if name == "billing" and "chatbot" in self.known
                    else (),
                )
                for name in PROJECTS
                if name in self.known
            },
            playbooks=PLAYBOOKS[self.commands],
            guards=make.guarding(**self.limits),
            commands=COMMANDS if self.commands else {},
            analyzer=Analyzer(mode=self.mode, allow=ALLOW),
        )
