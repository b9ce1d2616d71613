"""The laws: what has to hold of the store and of the world, whatever happened in which order."""
