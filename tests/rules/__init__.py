"""Tests of rules/: by promtool and amtool, by lints of our own, and by mutants."""
