"""Receives alerts, repairs what it safely can, proves it, and asks people for the rest."""
