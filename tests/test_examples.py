"""The examples of the docs run as they stand, and say what they promise."""

import runpy
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.results.recorded import write_day

EXAMPLES = sorted((Path(__file__).parents[1] / "docs" / "examples").glob("*.py"))


def run(name: str, *arguments: str) -> None:
    (path,) = (example for example in EXAMPLES if example.stem == name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(path), *arguments])
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


def test_own_day(tmp_path, capsys):
    day, out = write_day(tmp_path), tmp_path / "out"
    run("own_day", str(day), str(out), "09:30", "09:32:40")
    said = capsys.readouterr().out
    assert (
        "rows: 3,000" in said
        and "submit_and_leave" in said
        and said.endswith(f"{out / 'report.html'}: open it in a browser\n")
    )
    assert "windows that do not overlap" in (out / "report.html").read_text(encoding="utf-8")


SMALL = ("n_envs=16", "total_steps=400", "evaluation.episodes=0", "env.market.engine=xla", "compile=quick")


def test_train_in_python(tmp_path, capsys):
    out = tmp_path / "run"
    run("train_in_python", str(out), *SMALL)
    said = capsys.readouterr().out
    assert said.startswith("execution: ") and "5 updates, " in said and "the agent's first action: " in said
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG") and (out / "policy.npz").is_file()


def test_sweep_and_read(tmp_path, capsys):
    pytest.importorskip("optuna")
    short = ("seeds=2", "train.total_steps=320", "space={algorithm.learning_rate: [0.0003, 0.003]}")
    run("sweep_and_read", str(tmp_path / "sweep"), *short)
    table = pl.read_parquet(tmp_path / "sweep" / "trials.parquet")
    assert table["algorithm.learning_rate"].to_list() == [3e-4, 3e-4, 3e-3, 3e-3]
    best = table.sort("value", descending=True).row(0, named=True)
    said = capsys.readouterr().out
    assert "over seeds" in said and f"trial {best['trial']} with seed {best['seed']}, {best['value']:.3f}" in said
