"""The store: all SQL, in functions that each run as a part of one transaction."""
