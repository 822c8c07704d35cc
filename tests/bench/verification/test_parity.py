"""`bench parity`: figures that hold, a gate that fails where one is passed, arguments that are refused."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bench.commands.parity import parity
from bench.verification.parity import compare as module
from bench.verification.parity.compare import GATES, failed
from bench.verification.parity.measures import apart
from lobjax.errors import InputError


def test_distances_by_hand():
    assert apart([3.0, 4.0], [0.0, 4.0]) == (0.75, pytest.approx(0.8))
    assert apart({"a": [1.0], "b": [2.0]}, {"b": [2.0], "a": [1.0]}) == (0.0, 1.0)
    assert apart([0.0], [0.0]) == (0.0, 1.0) and apart([1.0], [0.0]).l2 == float("inf")


def test_a_gate_that_is_passed_is_named():
    good = {name: most / 2 for name, most in GATES.items()} | {"fp8_codes_equal": True}
    assert failed(good) == []
    assert failed(good | {"bf16_forward": 0.03, "fp8_codes_equal": False}) == ["bf16_forward", "fp8_codes_equal"]
    assert failed(good | {"fp32_forward": float("nan")}) == ["fp32_forward"]


@pytest.mark.slow
def test_a_small_model_passes_its_gates_and_leaves_a_record(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "UPDATES", 5)
    monkeypatch.setitem(GATES, "fp32_after_5_updates", GATES["fp32_after_100_updates"])
    monkeypatch.delitem(GATES, "fp32_after_100_updates")
    parity(layers=1, width=32, heads=2, window=4, steps=8, out=tmp_path / "parity.jsonl")
    printed = capsys.readouterr().out.splitlines()
    record = json.loads(printed[-1])
    assert json.loads((tmp_path / "parity.jsonl").read_text()) == record
    wanted = {"fp32_forward", "fp32_gradients", "bf16_forward", "bf16_gradients", "fp8_forward", "fp8_cross"}
    assert wanted <= record.keys() and record["fp8_codes_equal"] is True and record["gates_failed"] == []
    assert (
        0 < record["fp32_forward"] < 1e-6 < 1e-4 < record["bf16_forward"]
        and record["fp8_cross"] < record["fp8_forward"]
    )
    assert record["commit"] and record["torch_device"] == "cpu" and record["codes_compared"] > 10_000
    layers = [line for line in printed if "| forward, towers.0.blocks.0.query_key_value |" in line]
    assert len(layers) == 6 and printed[0].startswith("| precision | torch layers | against | what |")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: parity(width=24), "width is 24; FP8 products need a multiple of 16"),
        (lambda: parity(envs=8), "envs is 8"),
        (lambda: parity(heads=3), "does not divide into 3 heads"),
    ],
)
def test_bad_arguments_are_one_line(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_rows_are_told_apart_by_layers(monkeypatch):
    """A layer that computes something else shows in its own row."""
    rng = np.random.default_rng(0)
    one = {name: rng.normal(size=4) for name in ("a.weight", "a.bias", "b.weight")}
    other = {**one, "b.weight": one["b.weight"] + 1}
    results = [
        SimpleNamespace(forward=g, layers={"a": g["a.weight"], "b": g["b.weight"]}, gradients=g) for g in (one, other)
    ]
    rows: list = []
    *_, worst = module.compare_results(rows, "fp32", "plain", "Flax", *results)
    said = {row.what: row.apart.l2 for row in rows}
    assert said["gradients, a"] == said["forward, a"] == 0 and said["gradients, b"] == said["forward, b"] == worst > 0.1
