"""The containers of docker-compose.yml, as far as they can be tested without an engine."""
