"""Dashboards: panels as data, drawn in Grafana, on a page and in a terminal."""
