"""`python -m bench execution-paper`: the table, the agents' runs (trained once, gone on with, left alone), and what is said of them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from bench.commands.execution_paper import execution_paper as command
from bench.papers.execution import agents, paper, training
from bench.papers.execution.agents import evaluated
from bench.papers.execution.cells import CELLS, MARKETS, TABLE_A, Cell
from bench.papers.execution.figures import joined, learning_curves
from bench.papers.execution.playing import Result
from bench.papers.execution.sentences import sentences
from bench.papers.execution.training import (
    Run,
    configuration,
    curve,
    finished,
    named_agents,
    run_for,
    share_of,
    training_counts,
    training_seconds,
)
from bench.papers.market import measuring, report
from lobjax.errors import InputError
from lobjax.learn import runfolder, runner
from lobjax.learn.algorithm import ActorCriticConfig
from lobjax.learn.config import EvaluationConfig
from lobjax.learn.runfolder import RunFolder
from lobjax.nets import MLPConfig, make_net
from lobjax.nets.statistics import unit_statistics
from lobjax.policy import FILE, make_head, save_policy
from lobjax.results.metrics import MUST_BE_ZERO
from lobjax.tasks import make
from tests.learn.probes import TASKS
from tests.learn.runs import configuration as configuration_of_probe

TINY = ("n_envs=2", "rollout_length=11", "total_steps=44", "net.hidden=[4]")
CELL, RUN = Cell("noise", 20), Run("ln", ("noise",), 20, 3)


class Fake:
    """Plays nothing: returns around `mean`, and remembers who played what."""

    def __init__(self, mean: float = 0.5) -> None:
        self.mean, self.asked = mean, []

    def play(self, env, player, count, seed, first=0, on_batch=lambda done: None) -> Result:
        self.asked.append((getattr(player, "deterministic", None), count, seed, first))
        returns = self.mean + np.where(np.arange(count) % 2, 1.0, -1.0)
        return Result(returns, dict.fromkeys(MUST_BE_ZERO, 0.0), 100 * count, 2.0, 0.25, False, count)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> Path:
    """A folder of runs with one that looks finished: the agent as it starts, and the metrics of two updates."""
    runs, config = tmp_path_factory.mktemp("runs"), configuration(RUN, TINY)
    env = make(config.env)
    folder, head = runfolder.create(runs / RUN.name, config, env), make_head(env.action_space, config.head)
    params = {"net": make_net(config.net, env.observation_size, head).init(jax.random.key(0)), "head": head.init()}
    save_policy(folder.path, params, unit_statistics(env.observation_size), runner.policy_config(config, env))
    lines = [
        {"update": u, "step": 22 * u, "time/update_seconds": 0.5, "episode/count": 2, "episode/return": u / 10}
        | {"episode/late": u, "episode/stuck_lots": 1.0}
        for u in (1, 2)
    ]
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder of runs with a real one of two updates, of a probe; not to be changed."""
    runs = tmp_path_factory.mktemp("trained")
    finished(RUN, probe(), runs, TASKS)
    return runs


def probe(learning_rate: float = 5e-4, **changes):
    learner = ActorCriticConfig(learning_rate=learning_rate)
    sizes = {"n_updates": 2, "n_envs": 2, "length": 2, "net": MLPConfig(hidden=(4,))}
    return configuration_of_probe("constant", algorithm=learner, **sizes, **changes)


def test_the_table_has_ours_the_papers_and_z(monkeypatch, tmp_path: Path, capsys):
    monkeypatch.setattr(paper, "ProgramCache", Fake)
    monkeypatch.setattr(paper, "profile_of", lambda env: np.ones(env.decisions))
    played = {}
    monkeypatch.setattr(measuring, "measure", lambda markets, *rest: played.setdefault("asked", (markets, *rest)))
    monkeypatch.setattr(report, "save", lambda record, folder: played.update(saved=(record, folder)))
    monkeypatch.setattr(report, "markdown", lambda record: "The markets' own tables.")
    command(episodes=100, cells="noise-20", out=tmp_path, engine="host", statistics=70)
    assert played["asked"] == ({"noise": MARKETS["noise"]}, 70, 100)
    assert played["saved"] == (played["asked"], tmp_path)
    text = (tmp_path / "execution-paper.md").read_text()
    assert capsys.readouterr().out == text and text.endswith("The markets' own tables.\n")
    rows = [line for line in text.splitlines() if line.startswith("| noise | 20 |")]
    assert len(rows) == 4
    se = np.std([1.0, -1.0] * 50, ddof=1) / 10
    z = (0.5 + 0.06) / np.sqrt(se**2 + 0.94**2 / 9984)
    assert f"| TWAP | 0.500 ({se:.3f}, 1.01) | -0.06 (0.94) | {z:+.2f} | 50 |" in rows[1]
    assert "| VWAP | 0.500 (0.101, 1.01) |  |  | 50 |" in rows[2]
    assert "1 of 2 cells with a figure of the paper lie within 3 standard errors" in text
    record = json.loads((tmp_path / "execution-paper.json").read_text())
    assert record["cells"][1]["z"] == pytest.approx(z) and record["cells"][3]["z"] is None
    assert record["speed"]["episodes_per_s"] == 50 and record["speed"]["events_per_s"] == 5000
    assert record["agents"] == {} and record["commit"]


def test_counts_that_must_be_zero_are_said(monkeypatch, capsys):
    class Late(Fake):
        def play(self, *arguments, **rest) -> Result:
            return super().play(*arguments, **rest)._replace(counts=dict.fromkeys(MUST_BE_ZERO, 0.0) | {"late": 3.0})

    monkeypatch.setattr(paper, "ProgramCache", Late)
    monkeypatch.setattr(paper, "profile_of", lambda env: np.ones(env.decisions))
    command(episodes=10, cells="noise-20", engine="host")
    assert "**Mind:** noise, 20 lots, twap: late is 3: " in capsys.readouterr().out


@pytest.mark.parametrize("name", training.AGENTS)
def test_every_agent_has_a_configuration_for_every_cell(name):
    for cell in CELLS:
        run = run_for(name, cell, 3)
        config = configuration(run)
        assert (config.env.task.lots, config.seed, config.env.task.observation) == (cell.lots, 3, "paper")
        flows = getattr(config.env.flow, "flows", (config.env.flow,))
        assert [replace(MARKETS[market], warm_up_s=15.0) for market in run.markets] == list(flows)


@pytest.mark.parametrize("name", ["ln", "dr"])
def test_a_run_is_the_papers_in_its_market_for_its_lots(name):
    config = configuration(run_for(name, CELLS[1], 2))
    task, flow, algorithm = config.env.task, config.env.flow, config.algorithm
    assert (task.lots, task.decisions, task.step_s, task.side, flow.warm_up_s) == (60, 10, 15.0, "sell", 15.0)
    assert task.observation == "paper" and task.price_scale_ticks == 10.0
    assert (config.n_envs, config.rollout_length, config.n_updates, config.seed) == (128, 100, 400, 2)
    assert (algorithm.kind, algorithm.learning_rate, algorithm.discount, algorithm.trace_decay) == (
        "actor_critic",
        5e-4,
        1.0,
        1.0,
    )
    assert config.net.hidden == (128, 128) and config.net.output_scale == 1e-5 and not config.normalise_observations
    assert config.head.kind == {"ln": "logistic_normal", "dr": "dirichlet"}[name] and config.evaluation.episodes == 0
    assert all(configuration(run_for(name, cell, 2)).env.flow == MARKETS[cell.market] for cell in CELLS)
    assert config.env.market.max_messages > configuration(run_for(name, CELLS[0], 2)).env.market.max_messages


def test_a_finished_run_is_left_alone(trained, monkeypatch):
    def trained_again(*_):
        raise AssertionError("it was trained again")

    monkeypatch.setattr(runner, "start", trained_again)
    monkeypatch.setattr(runner, "resume", trained_again)
    folder = finished(RUN, probe(evaluation=EvaluationConfig(actions="sampled")), trained, TASKS)
    assert folder.path.name == "ln-noise-20-seed3" and (folder.path / FILE).is_file()
    with pytest.raises(InputError, match="ln-noise-20-seed3: a run of another configuration"):
        finished(RUN, probe(learning_rate=1e-3), trained, TASKS)


def test_a_run_that_was_stopped_goes_on_to_the_same_agent(trained, tmp_path):
    whole, stopped = trained / RUN.name, tmp_path / RUN.name
    shutil.copytree(whole, stopped)
    (stopped / FILE).unlink()  # stopped after its last update, so that nothing is compiled here
    finished(RUN, probe(), tmp_path, TASKS)
    assert (stopped / FILE).read_bytes() == (whole / FILE).read_bytes()
    assert [line["update"] for line in RunFolder(stopped).lines()] == [1, 2]
    (stopped / "run.json").write_text("{}")
    with pytest.raises(InputError, match=r"run\.json: it has no key"):
        finished(RUN, probe(), tmp_path, TASKS)


def test_time_and_curve_are_of_the_metrics(untrained):
    folder = RunFolder(untrained / RUN.name)
    assert training_seconds(folder) == 1.0 and curve(folder) == [(0, 0.1), (22, 0.2)]
    assert training_counts(folder) == {"late": 3}


def test_an_evaluation_is_made_once(untrained):
    config, folder, fake = configuration(RUN, TINY), RunFolder(untrained / RUN.name), Fake()
    asked = {"episodes": 40, "seed": 7, "first": 160}
    scores = evaluated(folder, config, CELL, fake, **asked)  # pyright: ignore[reportArgumentType]
    assert fake.asked == [(False, 40, 7, 160), (True, 40, 7, 160)]
    assert scores["sampled"]["mean"] == pytest.approx(0.5) and scores["train_s"] == 1.0
    again = evaluated(folder, config, CELL, fake, **asked)  # pyright: ignore[reportArgumentType]
    assert again == scores and len(fake.asked) == 2
    evaluated(folder, config, CELL, fake, **{**asked, "seed": 8})  # pyright: ignore[reportArgumentType]
    assert len(fake.asked) == 4 and len(json.loads((folder.path / agents.SCORES).read_text())) == 2


def test_the_whole_command_with_agents(untrained, monkeypatch, tmp_path: Path, capsys):
    monkeypatch.setattr(paper, "ProgramCache", Fake)
    monkeypatch.setattr(paper, "profile_of", lambda env: np.ones(env.decisions))
    options = {"episodes": 100, "cells": "noise-20", "engine": "host", "train": True, "agents": "ln", "set": TINY}
    command(**options, seeds="3", runs=untrained, out=tmp_path, statistics=0)
    text = capsys.readouterr().out
    assert "## Agent `ln`" in text and "One training seed, 100 episodes" in text
    assert (
        "| noise | 20 | 0.500 (0.301 to 0.699) | 0.101 | 1.01 | 0.64 (0.88) | -1.39 | 0.500 (0.301 to 0.699) |" in text
    )
    assert "ln cannot be told apart from TWAP: +0.000 ticks" in text
    assert "Mind: noise, 20 lots, seed 3, training: late is 3, and must be 0." in text
    (cell,) = json.loads((tmp_path / "execution-paper.json").read_text())["agents"]["ln"]["cells"]
    assert cell["of_seeds"][0]["first"] == 400 and cell["of_seeds"][0]["seed"] == 3
    assert (tmp_path / paper.CURVES).read_bytes().startswith(b"\x89PNG")


def cell_record(mean: float, se: float, z: float) -> dict:
    estimate = {"mean": mean, "se": se, "freedom": 4, "std": 1.0}
    played = {"mean": mean, "std": 1.0, "n": 100, "not_zero": {}}
    scores = {"seed": 0, **dict.fromkeys(("training", "sampled", "mode"), played)}
    scores["commits"] = {"trained": "0123456789abcdef", "evaluated": "fedcba9876543210+"}
    return {
        **CELL._asdict(),
        "sampled": estimate,
        "paper": TABLE_A[CELL]["ln"]._asdict(),
        "z": z,
        "of_seeds": [scores] * 5,
    }


def test_words_say_where_an_agent_does_not_win():
    played = {"mean": 0.5, "std": 1.0, "n": 10_000}
    benchmarks = [{**CELL._asdict(), "strategy": s, **played, "mean": m} for s, m in (("sl", 0.5), ("twap", -0.05))]
    said = " ".join(sentences("ln", [cell_record(0.52, 0.02, -5.4)], benchmarks))
    assert "in 1 of 2 comparisons" in said and "noise, 20 lots: ln cannot be told apart from submit and leave" in said
    assert "above the paper's figure in 0 of 1 cells" in said and "falls short of the paper's by 0.120 ticks" in said
    said = " ".join(sentences("ln", [cell_record(0.9, 0.02, 11.0)], benchmarks))
    assert "in 2 of 2 comparisons" in said and "In no cell does it fall short" in said and "told apart" not in said
    said = " ".join(sentences("ln", [cell_record(-0.2, 0.02, -40.0)], benchmarks))
    assert "Trained at commit 0123456789ab, evaluated at commit fedcba987654." in said
    assert "ln loses to TWAP by 0.150 ticks" in said and "5 training seeds a cell, 100 episodes for each" in said


def test_curves_are_joined_where_all_have_points(tmp_path):
    steps, returns = joined([[(0, 1.0), (10, 2.0), (20, 3.0)], [(0, 3.0), (20, 5.0)]])
    assert steps.tolist() == [0, 20] and returns.tolist() == [[1.0, 3.0], [3.0, 5.0]]
    drawn = learning_curves({"ln": {CELL: [[(0, 1.0), (10, 2.0)]]}}, tmp_path / "a.png")
    assert drawn.stat().st_size > 1000


def test_an_agent_may_be_for_some_cells_and_seeds_alone():
    assert share_of("ln", CELLS) == list(CELLS)
    assert [cell.name for cell in share_of("ln-fast", CELLS)] == ["tactical-60"]
    assert named_agents("ln, transformer:1") == {"ln": None, "transformer": 1}


def test_one_agent_for_all_markets_is_held_against_those_for_one():
    found = {
        "generalist": {"cells": [cell_record(-0.3, 0.01, 1.0)], "words": []},
        "transformer": {"cells": [cell_record(-0.2, 0.01, 1.0)], "words": []},
        "ln": {"cells": [cell_record(-0.1, 0.01, 1.0)], "words": []},
    }
    agents.compare(found)
    (said,) = found["generalist"]["words"]
    assert "generalist less transformer, -0.100 ticks (95% interval -0.1" in said
    assert found["transformer"]["words"] == found["ln"]["words"] == []


def test_one_run_may_be_for_all_markets(monkeypatch):
    together = training.Agent(about="", config="execution_paper.yaml", together=True)
    monkeypatch.setitem(training.AGENTS, "both", together)
    runs = {run_for("both", cell, 0) for cell in CELLS if cell.lots == 20}
    assert runs == {Run("both", ("noise", "tactical", "strategic"), 20, 0)}
    assert next(iter(runs)).name == "both-all-20-seed0"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cells": "noise-21"}, "--cells noise-21: unknown; did you mean 'noise-20'?"),
        ({"episodes": 1}, "--episodes: 1 is out of range"),
        ({"seeds": "0,x"}, "--seeds: 'x' is not a whole number"),
        ({"out": Path(__file__)}, "is not a folder"),
        ({"statistics": 1}, "--statistics 1: out of range"),
        ({"train": True, "agents": "l"}, "--agents l: unknown; did you mean 'ln'?"),
        ({"train": True, "agents": "ln:0"}, "--agents ln:0: after the colon give how many of --seeds"),
        ({"train": True, "agents": "ln-fast"}, "--agents ln-fast: plays in tactical-60 alone; add it to --cells"),
        ({"train": True, "seeds": "99,100"}, "--seed 100: is one of --seeds"),
        ({"train": True, "seeds": "4000000000"}, "--seeds 4000000000: too large"),
        ({"train": True, "set": ("algorithm.learning_rat=1",)}, "did you mean 'learning_rate'?"),
    ],
)
def test_a_bad_argument_is_one_line(options, words):
    with pytest.raises(InputError) as refused:
        command(**{"cells": "noise-20", **options})
    assert words in str(refused.value) and "\n" not in str(refused.value)
