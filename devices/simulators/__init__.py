"""The living province: a pure model (time in, values out) and a light publisher. docs/guides/simulator.md."""
