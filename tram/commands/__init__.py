"""The commands of `tram`: a module each, found by its name (tram/cli.py says what it must have)."""
