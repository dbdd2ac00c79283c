"""Dashboards as data: panels, the dashboards made of them, and what is made of both."""
