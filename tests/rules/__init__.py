"""Tests of rules/, run by promtool and amtool: `python -m tests.rules`."""
