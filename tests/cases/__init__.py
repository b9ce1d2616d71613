"""The cases E1 to E35 of the receiver, each against real Alertmanager."""
