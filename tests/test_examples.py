"""The examples of the docs run as they stand, and say what they promise."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "docs" / "examples").glob("*.py"))


def run(name: str) -> None:
    (path,) = (example for example in EXAMPLES if example.stem == name)
    runpy.run_path(str(path), run_name="__main__")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(example: Path):
    assert len(example.read_text(encoding="utf-8").splitlines()) < 80


def test_match_a_stream(capsys):
    run("match_a_stream")
    said = capsys.readouterr().out
    assert "LIMIT: traded 4 lots" in said and "MARKET: traded 3 lots" in said
    assert "bid   99 x 4   order 1, owner 0" in said and "ask" not in said
    assert said.endswith("each book as above: True\n")
