"""Trạm's own JSON convention; see README.md."""
