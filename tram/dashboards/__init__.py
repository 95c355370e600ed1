"""Dashboards as data: what a stored definition may hold. Pure."""
