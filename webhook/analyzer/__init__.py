"""The analyzer: from evidence to an answer, and from an answer to what may be done."""
