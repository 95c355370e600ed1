"""Fixtures: a plant on each edition, or on the best one."""

import pytest

from tests.alarms.plant import Plant
from tests.databases import Database


@pytest.fixture
def plant(database: Database) -> Plant:
    return Plant(database)


@pytest.fixture
def one_plant(one_database: Database) -> Plant:
    return Plant(one_database)
