"""The alarm process: the committed stream in, alarms out. docs/alarms.md."""
