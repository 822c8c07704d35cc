"""Runs in an arena: what they leave, that they go on as if never stopped, and how learned groups are compared."""

import json
import shutil

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.arena import make_arena
from lobjax.errors import InputError
from lobjax.learn import checkpoint
from lobjax.learn.arena import load_agent, resume, start
from lobjax.learn.progress import quietly
from lobjax.learn.runfolder import RunFolder
from lobjax.policy import load_policy
from lobjax.settings import key_of
from tests.learn.arena.small import config
from train.__main__ import main


def digest_of(folder) -> str:
    return checkpoint.complete(RunFolder(folder).checkpoints)[-1].digest


def lines_without_clock(folder):
    return [{k: v for k, v in line.items() if not k.startswith("time/")} for line in RunFolder(folder).lines()]


def test_a_run_leaves_metrics_agents_and_curves_by_group(finished):
    folder = finished.folder
    lines = list(RunFolder(folder).lines())
    assert len(lines) == 8 and lines[-1]["step"] == 320
    for name in ("market_maker", "momentum"):
        assert {
            f"{name}/episode/profit_ticks",
            f"{name}/loss/value",
            f"{name}/pool/loss",
            f"{name}/action/histogram_0",
        } <= lines[-1].keys()
        assert (folder / "figures" / f"{name}.png").stat().st_size > 1000
        agent = load_policy(folder / "agents" / name)
        carry = agent.initial_carry(3)
        seen = jnp.zeros((3, agent.config.observation_size))
        assert agent.config.space.contains(agent.act(key_of(0), carry, seen, jnp.ones(3, bool))[1][0])
    assert sum(line["episode/count"] for line in lines) > 40
    assert not (folder / "policy.npz").exists()


def test_killed_and_resumed_is_never_killed_to_the_bit_with_the_pool(finished, tmp_path, capsys):
    folder = tmp_path / "killed"
    shutil.copytree(
        finished.folder,
        folder,
        ignore=shutil.ignore_patterns("agents", "evaluation.json", "figures", "00000006", "00000008"),
    )
    torn = folder / "checkpoints" / "00000006"
    shutil.copytree(finished.folder / "checkpoints" / "00000006", torn)
    (torn / "meta.json").unlink()  # as a kill leaves it
    assert [each.update for each in checkpoint.complete(folder / "checkpoints")] == [3]
    with quietly():
        again = resume(folder, expected=config())
    assert digest_of(folder) == digest_of(finished.folder)
    assert any("pools" in name for name in checkpoint.arrays_of(checkpoint.complete(folder / "checkpoints")[-1]))
    assert lines_without_clock(folder) == lines_without_clock(finished.folder)
    for name in finished.agents:
        one, other = (f / "agents" / name / "policy.npz" for f in (folder, finished.folder))
        assert one.read_bytes() == other.read_bytes()
    assert again.evaluation == finished.evaluation
    main(["digest", str(folder)])
    assert capsys.readouterr().out.strip() == digest_of(finished.folder)


def test_groups_are_compared_with_their_baselines_in_pairs(finished):
    told = json.loads((finished.folder / "evaluation.json").read_text())
    assert told["episodes"] == {"count": 20, "seed": 20250701}
    assert set(told["groups"]) == {"market_maker", "momentum"} and set(told["not_trained"]) == {"rival", "execution"}
    for name, fields in finished.evaluation.duels.items():
        assert set(fields) == {"learned", "rules"}
        for by in fields.values():
            for duel in by.values():
                assert duel.agent.n == duel.baseline.n == duel.difference.n == 20
                np.testing.assert_allclose(duel.difference.mean, duel.agent.mean - duel.baseline.mean, atol=1e-9)
        assert any(f"{name}, " in verdict for verdict in told["verdicts"])
    assert any(verdict.startswith("execution: not trained") for verdict in told["verdicts"])
    profits = [by["profit_ticks"].baseline.mean for by in finished.evaluation.duels["market_maker"].values()]
    assert profits[0] != profits[1], "the others of the two fields are not the same"


@pytest.mark.slow
def test_a_saved_agent_plays_on_and_is_not_changed(finished, tmp_path):
    """One group learns against another's saved agent; the agent's file decides what is played, and a resume wants the same one."""
    home = tmp_path / "theirs"
    shutil.copytree(finished.folder / "agents" / "market_maker", home)
    before = (home / "policy.npz").read_bytes()
    changes = {
        "learn": {"momentum": {"begin": str(finished.folder)}}, "plays": {"market_maker": {"agent": str(home), "actions": "sampled"}},
        "opponents": None, "curriculum": None, "total_steps": 120, "evaluation": {"episodes": 2},
    }  # fmt: skip
    with quietly():
        run = start(config(**changes), tmp_path / "run")
    assert (home / "policy.npz").read_bytes() == before and set(run.agents) == {"momentum"}
    assert set(run.evaluation.duels) == {"momentum"} and run.evaluation.others["market_maker"] == "a saved agent"
    assert set(run.evaluation.duels["momentum"]) == {"learned"}, "no other learned, so there is one field"
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert set(about["agents"]) == {"market_maker", "momentum"}
    arrays = dict(np.load(home / "policy.npz"))
    name = next(name for name in arrays if name.startswith("params.net"))
    np.savez(home / "policy.npz", **arrays | {name: arrays[name] + 1})
    with pytest.raises(InputError, match=r"its parameters are not those that agent\.json names"):
        resume(tmp_path / "run")


def test_agents_that_do_not_fit_are_refused(finished, tmp_path):
    arena = make_arena(config().arena)
    maker, momentum = arena.groups[0], arena.groups[1]
    with pytest.raises(InputError, match="not trained, there is no agent for 'market_maker'"):
        load_agent(tmp_path, arena, maker)
    with pytest.raises(InputError, match="an agent of the role 'momentum', and 'market_maker' is 'market_maker'"):
        load_agent(finished.folder / "agents" / "momentum", arena, maker)
    told = make_arena(config(arena=config_with(tells_events=True)).arena)
    with pytest.raises(InputError, match=r"trained to see other things .*'event_calm' is new"):
        load_agent(finished.folder, told, told.groups[1])
    wider = make_arena(config(arena=config_with(momentum={"seats": 1, "levels": 3})).arena)
    with pytest.raises(InputError, match="it acts in MultiDiscrete"):
        load_agent(finished.folder, wider, wider.groups[1])
    assert load_agent(finished.folder, arena, momentum).config.actions == "momentum"


def config_with(**changes):
    from tests.learn.arena.small import ARENA

    roles = {name: changes.pop(name) for name in list(changes) if name in ARENA["roles"]}
    return ARENA | {"roles": ARENA["roles"] | roles} | changes


def test_folders_of_other_runs_are_refused(finished, tmp_path, capsys):
    with pytest.raises(InputError, match="a run of another configuration"):
        resume(finished.folder, expected=config(seed=1))
    for arguments, said in (
        (["resume", finished.folder], "a run in an arena; go on with `python -m train arena"),
        (["arena", "arena_smoke", "--out", finished.folder], "not an empty folder"),
        (
            ["arena", "arena_smoke", "--out", tmp_path / "x", "--checkpoint", tmp_path],
            "--checkpoint: a new run begins from none",
        ),
        (["arena", "arena_smok", "--out", tmp_path / "x"], "did you mean 'arena_smoke'?"),
        (["arena", "arena_smoke", "--out", tmp_path / "x", "--set", "arena.decision=3"], "did you mean 'decisions'?"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main([str(each) for each in arguments])
        assert stopped.value.code == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1, error
    assert not (tmp_path / "x").exists()
