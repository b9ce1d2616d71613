"""The version of every program here, as pyproject.toml and the installed package say it."""

from importlib import metadata

VERSION = metadata.version("orchestrator")
