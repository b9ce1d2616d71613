"""Tests of the dashboards: they are read as Grafana would, from the JSON that is written."""
