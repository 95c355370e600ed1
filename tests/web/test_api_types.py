"""The wall's types are those of the API."""

from deploy import api_types


def test_the_written_types_are_the_apis() -> None:
    assert api_types.OUT.read_text(encoding="utf-8").startswith(api_types.head()), "run `python -m deploy.api_types`"


def test_every_wanted_answer_is_there() -> None:
    text = api_types.OUT.read_text(encoding="utf-8")
    for name in api_types.document()["components"]["schemas"]:
        assert f"        {name}: {{\n" in text or f"        {name}: " in text
