"""Evidence: what is known of an incident before anybody judges it, each piece with its trust."""
