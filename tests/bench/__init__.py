"""Benchmarks: what our programs cost, beside what others cost for the same work."""
