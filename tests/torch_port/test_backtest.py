"""One agent, two frameworks, one backtest: what Flax and torch play has the same figures."""

import json

import numpy as np
import pytest

from backtest.__main__ import main as backtest
from lobjax.evaluation import Episodes
from lobjax.policy import FILE
from lobjax.results import compare
from lobjax.tasks import make
from lobjax.torch_port.convert import from_safetensors, load_torch_agent, to_safetensors
from lobjax.torch_port.player import TorchPlayer
from tests.backtest.conftest import small, write_config
from tests.torch_port.saved import saved_agent


def test_both_frameworks_play_the_same_backtest(tmp_path):
    agent = saved_agent(tmp_path / "flax")
    other = TorchPlayer(load_torch_agent(to_safetensors(tmp_path / "flax", tmp_path / "torch")))
    env = make(small())
    other.check(env)
    players = {"flax": agent, "torch": other}
    figures = compare(env, env.default_params, players, Episodes(count=24, seed=1)).figures
    assert figures["flax"].keys() == figures["torch"].keys() and len(figures["flax"]) > 5
    for name, mine in figures["flax"].items():
        np.testing.assert_allclose(figures["torch"][name].mean(), mine.mean(), rtol=1e-5, atol=1e-6, err_msg=name)
    assert len(set(figures["flax"]["episode_return"].tolist())) > 12, (
        "the agent does something, and not the same everywhere"
    )


@pytest.mark.slow
def test_the_backtest_command_plays_an_agent_from_torch(tmp_path, capsys):
    """`backtest run --policy` of a folder that `train convert` wrote gives the lines that the original gives."""
    saved_agent(tmp_path / "flax")
    back = from_safetensors(to_safetensors(tmp_path / "flax", tmp_path / "torch"))
    assert back.name == FILE and back.read_bytes() != b""
    config = write_config(tmp_path)
    said = []
    for folder in ("flax", "torch"):
        backtest(["run", str(config), "--policy", str(tmp_path / folder), "--out", str(tmp_path / f"{folder}-out")])
        said.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert said[0]["players"]["agent"] == said[1]["players"]["agent"] and said[0]["players"]["agent"]
