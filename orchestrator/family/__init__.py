"""The metric families, a table for each of those that they tell of."""
