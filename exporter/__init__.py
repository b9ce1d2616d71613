"""Asks every project how it is, and tells Prometheus."""
