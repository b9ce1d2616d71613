"""Tests of webhook.remedies."""
