"""The paper's agents in its cells: trained, evaluated with drawn actions and without, joined over seeds, and what that says."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from bench import recording
from bench.papers.execution.cells import MARKETS, TABLE_A, TABLE_B, Cell
from bench.papers.execution.playing import ProgramCache
from bench.papers.execution.scores import Estimate, over_episodes, over_seeds, z_score
from bench.papers.execution.sentences import sentences, specialists
from bench.papers.execution.training import (
    AGENTS,
    configuration,
    curve,
    finished,
    run_for,
    share_of,
    training_counts,
    training_seconds,
)
from lobjax import locks
from lobjax.cli import note
from lobjax.files import whole_file
from lobjax.learn.config import TrainConfig
from lobjax.learn.runfolder import RunFolder
from lobjax.policy import FILE, load_policy
from lobjax.reading import exists
from lobjax.results import surroundings
from lobjax.schema import read_shape
from lobjax.tasks import make

SCORES = "execution-paper.json"  # in a run's folder: what its evaluations gave
ACTIONS = ("sampled", "mode")
Scores = dict[str, Any]


class Score(TypedDict):
    """What one way of acting gave."""

    mean: float
    std: float
    n: int
    not_zero: dict[str, float]


class Kept(TypedDict):
    """One of the evaluations in `SCORES`."""

    cell: str
    episodes: int
    episode_seed: int
    first: int
    policy: str
    train_s: float
    training: dict[str, dict[str, float]]
    commits: dict[str, str]
    sampled: Score
    mode: Score


def agent_record(
    name: str, chosen: Sequence[Cell], seeds: Sequence[int], benchmarks: Sequence[Mapping[str, Any]], runs: Path,
    cache: ProgramCache, *, episodes: int, seed: int, assignments: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """Everything about one agent: each cell's figures by seed and together, curves, and sentences. Trains what is not trained yet."""
    agent, cells = AGENTS[name], []
    for cell in share_of(name, chosen):
        of_seeds = []
        for training_seed in seeds:
            run = run_for(name, cell, training_seed)
            config = configuration(run, assignments)
            folder = finished(run, config, runs)
            first = (training_seed + 1) * episodes  # other episodes for every seed; the strategies play those from 0 on
            scores = evaluated(folder, config, cell, cache, episodes=episodes, seed=seed, first=first)
            of_seeds.append({"seed": training_seed, "folder": run.name, **scores})
        cells.append(_together(cell, agent.column, of_seeds))
    said = sentences(name, cells, benchmarks)
    return {"about": agent.about, "column": agent.column.upper(), "seeds": list(seeds), "cells": cells, "words": said}


def compare(found: Mapping[str, dict[str, Any]]) -> None:
    """Add to what is said of an agent trained for all markets at once how it stands against those that were trained for one."""
    for name, record in found.items():
        if its := found.get(AGENTS[name].specialist):
            record["words"] += specialists(name, record["cells"], AGENTS[name].specialist, its["cells"])


def evaluated(
    folder: RunFolder, config: TrainConfig, cell: Cell, cache: ProgramCache, *, episodes: int, seed: int, first: int
) -> Scores:
    """A finished run's figures in a cell, drawn and not, kept in its folder so that they are made once."""
    asked = {
        "cell": cell.name, "episodes": episodes, "episode_seed": seed, "first": first,
        "policy": hashlib.sha256((folder.path / FILE).read_bytes()).hexdigest(),
        "settings": surroundings.that_must_agree(surroundings.settings(), folder.path),
    }  # fmt: skip
    path = folder.path / SCORES
    for scores in _kept(path):
        if asked.items() <= scores.items():
            return scores
    flow = replace(MARKETS[cell.market], warm_up_s=config.env.task.step_s)
    env = make(replace(config.env, flow=flow))
    scores: Scores = {
        **asked,
        "train_s": training_seconds(folder),
        "training": {"not_zero": training_counts(folder)},
        "commits": {"trained": folder.about().get("commit", "unknown"), "evaluated": recording.origin()["commit"]},
    }
    for actions in ACTIONS:
        policy = load_policy(folder.path, deterministic=actions == "mode")
        policy.check(env)
        played = cache.play(env, policy, episodes, seed, first)
        note(f"{folder.path.name}, {cell.name}, {actions}: {played.mean:.3f} (se {played.se:.3f})")
        scores[actions] = {"mean": played.mean, "std": played.std, "n": played.n, "not_zero": played.wrong}
    with locks.held(folder.path, wait=True):  # another command may have added to them meanwhile
        kept = _kept(path)
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps([*kept, scores], indent=1) + "\n", encoding="utf-8")
    return scores


def _kept(path: Path) -> list[Scores]:
    """The scores in a file, none where there is no file; with the settings that are taken for those of an earlier version."""
    advice = "remove it, it is made again"
    kept: list[Any] = read_shape(list[Kept], path, advice=advice) if exists(path) else []
    return [scores | {"settings": surroundings.that_must_agree(scores.get("settings"), path)} for scores in kept]


def curves(name: str, cell: Cell, seeds: Sequence[int], runs: Path) -> list[list[tuple[int, float]]]:
    """The learning curve of every seed."""
    return [curve(RunFolder(runs / run_for(name, cell, seed).name)) for seed in seeds]


def _together(cell: Cell, column: str, of_seeds: Sequence[Scores]) -> dict[str, Any]:
    """One cell of one agent."""
    paper, later = TABLE_A[cell][column], TABLE_B[cell].get(column)
    drawn, mode = (over_seeds([_estimate(scores[actions]) for scores in of_seeds]) for actions in ACTIONS)
    return {
        **cell._asdict(),
        "sampled": as_record(drawn),
        "mode": as_record(mode),
        "paper": paper._asdict(),
        "paper_later": later and later._asdict(),
        "z": z_score(drawn.mean, drawn.se, paper),
        "train_s": sum(scores["train_s"] for scores in of_seeds) / len(of_seeds),
        "of_seeds": list(of_seeds),
    }


def as_record(estimate: Estimate) -> dict[str, float]:
    """An estimate with its interval, for JSON."""
    return {**estimate._asdict(), "low": estimate.low, "high": estimate.high}


def _estimate(scores: Scores) -> Estimate:
    return over_episodes(scores["mean"], scores["std"], scores["n"])
