"""`bench train`: what it refuses, and what it trains."""

import pytest

from bench.commands.train import train
from bench.speed.training.cells import CELLS, cell
from lobjax.errors import InputError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cells": "mpl:1"}, "unknown network 'mpl'; did you mean 'mlp'"),
        ({"cells": "mlp"}, "write NET:MESSAGES"),
        ({"cells": "mlp:0"}, "--cells mlp: 0 is out of range"),
        ({"envs": 6}, "n_envs 6 does not divide into 1 devices x 4 minibatches"),
        ({"devices": 64, "envs": 1024}, "64 wanted, 1 cpu found"),
        ({"engine": "gpu"}, "--engine gpu: unknown"),
        ({"runs": 2}, "too few for a median"),
    ],
)
def test_bad_input_to_train_is_refused_before_anything_compiles(settings, message):
    with pytest.raises(InputError, match=message):
        train(**settings)


def test_the_cells_are_what_the_text_says():
    configs = [cell(net, messages, 512, 0, "auto") for net, messages in CELLS]
    assert [c.env.task.step_messages for c in configs] == [1, 100, 100]
    assert [c.rollout_length for c in configs] == [c.env.task.decisions for c in configs] == [100, 10, 64]
    assert configs[2].net.window == 64 and configs[2].net.width == 128 and configs[2].net.layers == 2
