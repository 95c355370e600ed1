"""Alarms by ISA-18.2, pure: rules as data, the engine over columns, the life of an alarm, floods, statistics.

Nothing here reads a clock, a socket or a database: times are handed in, what happened is handed back. docs/alarms.md.
"""
