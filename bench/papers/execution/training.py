"""The paper's agents: which runs there are, and training them, each in a folder of its own that is left alone once it is finished."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench.papers.execution.cells import CELLS, Cell, cell_config
from lobjax import locks
from lobjax.cli import note
from lobjax.config import to_dict
from lobjax.errors import InputError, nearest
from lobjax.learn import runner
from lobjax.learn.config import EvaluationConfig, TrainConfig, config_from, load_config
from lobjax.learn.runfolder import RunFolder, check_surroundings
from lobjax.learn.tasks import MARKET, Tasks
from lobjax.policy import FILE
from lobjax.results.metrics import MUST_NOT_HAPPEN
from lobjax.results.updates import number

CONFIGS = Path(__file__).parents[3] / "configs" / "train"


@dataclass(frozen=True, kw_only=True)
class Agent:
    """How an agent is trained: a configuration, changed by assignments, and the paper's column that it is held against.

    `together`: one run for all three markets, whose configuration names them; otherwise a run for each market. `specialist`: the agent,
    trained for each market by itself, that it is then held against. `only`: the cells that it is for; none: all.
    """

    about: str
    config: str
    assignments: tuple[str, ...] = ()
    column: str = "ln"
    together: bool = False
    specialist: str = ""
    only: tuple[str, ...] = ()


AGENTS = {
    "ln": Agent(
        about="The paper's: a logistic-normal policy, an MLP, plain actor-critic.", config="execution_paper.yaml"
    ),
    "ln-fast": Agent(
        about="As `ln` at twice the paper's learning rate, in the cell where its own rate does not reach its figure.",
        config="execution_paper.yaml",
        assignments=("algorithm.learning_rate=1e-3",),
        only=("tactical-60",),
    ),
    "dr": Agent(
        about="The same with a Dirichlet policy.",
        config="execution_paper.yaml",
        assignments=("head={kind: dirichlet}",),
        column="dr",
    ),
    "transformer": Agent(
        about="A Transformer trained by PPO, held against the paper's logistic-normal agent; its deviation falls to 0.1, the paper's to "
        "0.32.",
        config="execution_paper_transformer.yaml",
    ),
    "generalist": Agent(
        about="One Transformer for all three markets, trained by PPO, held against the paper's logistic-normal agents, each of which "
        "knows its market; its deviation falls to 0.1.",
        config="execution_paper_generalist.yaml",
        together=True,
        specialist="transformer",
    ),
}


class Run(NamedTuple):
    """One training run."""

    agent: str
    markets: tuple[str, ...]  # that it is for
    lots: int
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        where = "-".join(self.markets) if len(self.markets) == 1 else "all"
        return f"{self.agent}-{where}-{self.lots}-seed{self.seed}"


def named_agents(text: str) -> dict[str, int | None]:
    """'ln,dr:2' as names of `AGENTS`, each with how many of the seeds it is for (None: all). InputError for another."""
    found: dict[str, int | None] = {}
    for part in text.split(","):
        name, _, count = part.strip().partition(":")
        if name not in AGENTS:
            raise InputError(f"--agents {name}: unknown; {nearest(name, AGENTS)}")
        if ":" in part and not (count.isdecimal() and int(count)):
            raise InputError(f"--agents {part.strip()}: after the colon give how many of --seeds, 1 or more")
        found[name] = int(count) if count else None
    return found


def share_of(agent: str, cells: Sequence[Cell]) -> list[Cell]:
    """Those of the cells asked for that an agent is for."""
    only = AGENTS[agent].only
    return [cell for cell in cells if not only or cell.name in only]


def run_for(agent: str, cell: Cell, seed: int) -> Run:
    """The run that plays in a cell."""
    together = tuple(dict.fromkeys(each.market for each in CELLS))
    return Run(agent, together if AGENTS[agent].together else (cell.market,), cell.lots, seed)


def configuration(run: Run, more: Sequence[str] = ()) -> TrainConfig:
    """A run's configuration: its agent's, in its market, for its lots; `more` assignments last. It is evaluated here, not by the run."""
    agent = AGENTS[run.agent]
    venues = [cell_config(market, run.lots).market for market in run.markets]
    where = [
        f"env.task.lots={run.lots}",
        f"env.market.capacity={max(venue.capacity for venue in venues)}",
        f"env.market.max_messages={max(venue.max_messages for venue in venues)}",
    ]
    if not agent.together:
        flow = to_dict(cell_config(run.markets[0], run.lots).flow)
        where.append(f"env.flow={json.dumps(flow)}")
    given = [*agent.assignments, *where, f"seed={run.seed}", "evaluation.episodes=0", *more]
    return load_config(CONFIGS / agent.config, *given)


def finished(run: Run, config: TrainConfig, folder: Path, tasks: Tasks = MARKET) -> RunFolder:
    """Train a run into `folder`/its name: from the start, from where it was stopped, or not at all where it is finished.

    InputError where a run of another configuration is there (how it is evaluated does not count).
    """
    found = RunFolder(folder / run.name)
    try:
        if locks.is_free(found.path):
            note(f"{run.name}: training")
            runner.start(config, tasks, found.path)
            return found
        about = found.about()
        if _learned(config_from(about["config"], tasks.env_config)) != _learned(config):
            raise InputError(f"{found.path}: a run of another configuration; name another --runs, or remove it")
        if (found.path / FILE).is_file():
            check_surroundings(about, found.path / "run.json")
            note(f"{run.name}: finished before")
            return found
        note(f"{run.name}: going on")
        runner.resume(found.path, tasks)
        return found
    except runner.NotFinite as error:
        raise SystemExit(f"error: {found.path}: {error}") from None


def training_seconds(folder: RunFolder) -> float:
    """Seconds of all updates of a run, without compiling."""
    return sum(_number(folder, line, "time/update_seconds") for line in folder.lines())


def training_counts(folder: RunFolder) -> dict[str, float]:
    """What must be 0 and was not, summed over the episodes that ended in training. Stuck lots are valued, and are not among them."""
    totals = dict.fromkeys(MUST_NOT_HAPPEN, 0.0)
    for line in folder.lines():
        for name in MUST_NOT_HAPPEN:
            totals[name] += _number(folder, line, f"episode/{name}", 0)
    return {name: total for name, total in totals.items() if total}


def curve(folder: RunFolder) -> list[tuple[int, float]]:
    """(environment steps before a rollout, mean return of the episodes that ended in it), for every update."""
    found, each = [], None
    for line in folder.lines():
        each = line["step"] if each is None else each
        if _number(folder, line, "episode/count", 0):
            found.append((line["step"] - each, _number(folder, line, "episode/return")))
    return found


def _number(folder: RunFolder, line: dict[str, Any], name: str, default: float | None = None) -> float:
    """A metric of an update; InputError where it is none."""
    value = number(line.get(name, default))
    if value is None:
        raise InputError(f"{folder.metrics}: update {line['update']} has no '{name}'; train the run again")
    return value


def _learned(config: TrainConfig) -> TrainConfig:
    return replace(config, evaluation=EvaluationConfig(episodes=0))
