"""Weights across frameworks: every bit comes back, and what does not fit is refused in one line."""

import json

import jax
import numpy as np
import pytest
import torch

from lobjax.errors import InputError
from lobjax.nets import MLPConfig
from lobjax.policy import load_policy
from lobjax.torch_port import from_flax, load_into, to_flax
from lobjax.torch_port.agent import make_agent
from lobjax.torch_port.convert import TORCH_FILE, from_safetensors, load_torch_agent, to_safetensors
from lobjax.torch_port.weights import flatten
from tests.torch_port.both import HEAD, SEPARATE, SHARED, lively, pair
from tests.torch_port.saved import saved_agent


@pytest.mark.parametrize("config", [SHARED, SEPARATE], ids=["shared", "separate"])
def test_the_round_trip_keeps_every_bit(config):
    params = lively(config)
    params["actor"]["bias"][:] = [
        np.float32(1e-42),
        -0.0,
        np.inf,
    ]  # a number that is easily lost, two that compare oddly
    state = from_flax(params)
    back = to_flax({**state, "towers.0.blocks.0.merge._extra_state": torch.zeros(3)})
    assert flatten(back).keys() == flatten(params).keys()
    for name, array in flatten(params).items():
        assert flatten(back)[name].tobytes() == np.asarray(array).tobytes(), name
    assert len(state) == len(set(state)) == len(flatten(params))


def test_a_saved_agent_crosses_and_comes_back_to_the_bit(tmp_path):
    agent = saved_agent(tmp_path / "flax")
    file = to_safetensors(tmp_path / "flax", tmp_path / "torch")
    assert file.name == TORCH_FILE
    back = load_policy(from_safetensors(file).parent)
    assert back.config == agent.config
    same = jax.tree.map(lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes(), back.params, agent.params)
    assert all(jax.tree.leaves(same)) and np.array_equal(back.statistics.mean, agent.statistics.mean)
    assert load_torch_agent(file).config == agent.config


def test_what_does_not_fit_is_one_line(tmp_path):
    _, params, model = pair(SHARED)
    state = from_flax(params)
    for wrong, words in (
        (from_flax(lively(SEPARATE)), "use"),
        ({**state, "actor.weight": torch.zeros(3, 8)}, r"'actor.weight' is \(3, 8\), this network wants \(3, 16\)"),
        ({k: v for k, v in state.items() if k != "critic.bias"}, "'critic.bias' is missing"),
        ({**state, "other": torch.zeros(1)}, "'other' has no place"),
    ):
        with pytest.raises(InputError, match=words):
            load_into(model, wrong)
    with pytest.raises(InputError, match=r"'Dense_0\.kernel' is no parameter of a Transformer"):
        from_flax({"Dense_0": {"kernel": np.zeros((2, 2))}})
    with pytest.raises(InputError, match=r"config\.net\.kind: torch has no 'mlp'; take 'transformer'"):
        make_agent(MLPConfig(), 5, HEAD)
    (tmp_path / TORCH_FILE).write_bytes(b"torn")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        from_safetensors(tmp_path / TORCH_FILE)
    with pytest.raises(InputError, match="no such file"):
        from_safetensors(tmp_path / "absent.safetensors")


def test_a_file_of_another_size_is_refused_and_leaves_nothing(tmp_path):
    import safetensors
    import safetensors.torch

    saved_agent(tmp_path)
    file = to_safetensors(tmp_path)
    with safetensors.safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        config = json.loads(opened.metadata()["config"])
    config["net"]["width"] = 64
    safetensors.torch.save_file(tensors, tmp_path / "other.safetensors", metadata={"config": json.dumps(config)})
    with pytest.raises(InputError, match="do not fit its configuration"):
        from_safetensors(tmp_path / "other.safetensors", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
