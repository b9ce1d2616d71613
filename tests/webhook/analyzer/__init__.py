"""The analyzer, tested."""
