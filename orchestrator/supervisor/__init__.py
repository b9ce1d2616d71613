"""The local supervisor: keeps services running, and takes commands for those that are projects."""
