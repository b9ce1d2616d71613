"""Claude: the one place that speaks to Anthropic, and knows its SDK."""
