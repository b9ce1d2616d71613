"""A stand-in for the Messages API, for tests and for a demo without a key. No Claude is in it."""
