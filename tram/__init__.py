"""Trạm: the shared kernel. The vocabulary both planes speak, and the store. Imports no plane."""

__version__ = "0.1.0"
