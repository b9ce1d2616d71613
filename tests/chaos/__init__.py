"""Chaos: the webhook is killed at random moments under a stream of alerts, and judged after it."""
