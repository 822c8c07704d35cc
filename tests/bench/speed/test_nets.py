"""`bench nets`: a record of every framework, arguments that are refused."""

import json

import pytest

from bench.commands.nets import nets
from bench.speed.nets import SIZES
from lobjax.errors import InputError


@pytest.mark.slow
def test_steps_are_timed_for_every_framework(tmp_path, capsys):
    nets(sizes="tiny", envs=16, steps=4, window=4, out=tmp_path / "nets.jsonl", device="cpu")
    records = [json.loads(line) for line in (tmp_path / "nets.jsonl").read_text().splitlines()]
    assert [(r["framework"], r["precision"]) for r in records] == [
        ("flax", "float32"), ("torch", "float32"), ("flax", "bfloat16"), ("torch", "bfloat16"),
    ]  # fmt: skip
    for record in records:
        assert record["step_s_min"] <= record["step_s"] <= record["step_s_max"] and record["runs"] == 5
        assert record["tokens_per_s"] == pytest.approx(64 / record["step_s"], rel=1e-2)
        assert record["flops_per_step"] == pytest.approx(
            64 * 3 * (2 * (32 * 32 + 12 * 32**2 + 12 * 32) + 4 * 32 * 8), rel=1e-3
        )
        assert 0 < record["utilisation"] < 1 and record["first_step_s"] > 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sizes": "huge"}, "unknown 'huge'"),
        ({"frameworks": "jax"}, "unknown 'jax'"),
        ({"runs": 2}, "too few"),
        ({"frameworks": "transformer_engine", "device": "cpu"}, "--frameworks transformer_engine: needs"),
    ],
)
def test_bad_arguments_are_one_line(options, words):
    with pytest.raises(InputError, match=words):
        nets(**options)


def test_the_reference_size_is_what_it_says():
    assert SIZES["reference"] == (12, 768, 64, "separate")
