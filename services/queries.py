"""The named SQL of queries.sql."""

from pathlib import Path

from tram.store.sqlfile import load_path

QUERIES = load_path(Path(__file__).with_name("queries.sql"))
