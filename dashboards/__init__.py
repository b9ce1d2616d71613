"""The dashboards as code: what people see of the fleet, written to files that Grafana reads."""
