"""Every command whose size a user gives refuses what does not fit in memory: in one line, before anything of size is compiled."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from lobjax import memory
from lobjax.errors import InputError
from lobjax.evaluation import Episodes
from lobjax.learn import evaluate
from lobjax.learn.config import config_from
from lobjax.learn.memory import acting, estimate
from lobjax.learn.tasks import MARKET
from lobjax.results.memory import comparing
from lobjax.tasks import TASKS, EnvConfig, MakingConfig, MarketConfig, make, strategies

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
LITTLE = 1 << 20
LONG_S = 1.0  # no program of size is compiled in less; what JAX compiles for single operations takes hundredths

COMPILED: list[float] = []


def _heard(event: str, seconds: float, **about: Any) -> None:
    if event.endswith("backend_compile_duration"):
        COMPILED.append(seconds)


@pytest.fixture(scope="module", autouse=True)
def listening():
    jax.monitoring.register_event_duration_secs_listener(_heard)
    yield
    jax.monitoring.unregister_event_duration_listener(_heard)


@pytest.fixture
def little(monkeypatch):
    """A machine with a mebibyte left."""
    monkeypatch.setattr(memory, "_available", lambda meminfo: LITTLE)


SNAPSHOT = ["snapshot", "--envs", "4096", "--reward", "value"]
NETS = ["nets", "--sizes", "small", "--frameworks", "flax", "--precisions", "float32"]
COMMANDS = {
    "train run": ["run", CONFIGS / "train" / "execution.yaml", "--out", "OUT"],
    "train sweep": ["sweep", CONFIGS / "sweep" / "market_making.yaml", "--out", "OUT"],
    "train torch": ["torch", CONFIGS / "train" / "execution_paper_transformer.yaml", "--out", "OUT"],
    "backtest run": ["run", CONFIGS / "backtest" / "market_making.yaml", "--out", "OUT"],
    "bench engine": ["engine", "--books", "4096", "--engines", "xla"],
    "bench env": ["env", "--envs", "1024", "--engine", "xla"],
    "bench execution-cell": ["execution-cell", "--strategy", "vwap", "--episodes", "100"],
    "bench execution-paper": ["execution-paper", "--cells", "noise-20", "--episodes", "100"],
    "bench market-statistics": ["market-statistics", "--episodes", "1000"],
    "bench nets": NETS,
    "bench parity": ["parity"],
    "bench resume": ["resume", "--config", CONFIGS / "train" / "execution.yaml"],
    "bench snapshot": SNAPSHOT,
    "bench sweep": ["sweep"],
    "bench train": ["train", "--cells", "mlp:1"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_does_not_fit_is_refused_before_it_compiles(command, little, tmp_path, capsys):
    if "torch" in command or "parity" in command or "nets" in command:
        pytest.importorskip("torch")
    out = tmp_path / "out"
    arguments = [str(out) if part == "OUT" else str(part) for part in COMMANDS[command]]
    COMPILED.clear()
    with pytest.raises(SystemExit) as ended:
        _main(command.split()[0])(arguments)
    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert said[-1].startswith("error: ") and "of memory and 1 MiB are free; " in said[-1], said
    assert max(COMPILED, default=0.0) < LONG_S
    assert not out.exists()


def _main(program: str) -> Any:
    from backtest.__main__ import main as backtest
    from bench.__main__ import main as bench
    from train.__main__ import main as train

    return {"backtest": backtest, "bench": bench, "train": train}[program]


def test_agents_of_the_execution_paper_are_looked_at_before_any_strategy_plays(monkeypatch):
    """Training comes last: what cannot be trained is said first."""
    from bench.papers.execution import paper
    from bench.papers.execution.cells import named_cells

    asked = ("ln", (0,), named_cells("noise-20"), 100, 7)
    with pytest.raises(InputError, match=r"^this run needs about .* of memory"):
        paper.check_agents(*asked, ["n_envs=1048576", "rollout_length=1000", "total_steps=1000000000000"])
    with pytest.raises(InputError, match=r"^to play 16,000,000 episodes needs about .* figures of episodes"):
        monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 32)
        paper.check_agents("ln", (0,), named_cells("noise-20"), 16_000_000, 7, [])


def run_of(**given: Any) -> Any:
    env = {"flow": {"kind": "poisson", "warm_up_s": 0.0}, "market": {"engine": "xla"}}
    return config_from({"env": env, "n_envs": 16, "total_steps": 10**6, **given}, MARKET.env_config)


def evaluation_of(config: Any) -> Any:
    env = make(config.env)
    return evaluate.estimate(config, env, MARKET, acting(config, env))


def test_the_evaluation_of_a_run_is_in_its_estimate():
    plain, many = run_of(), run_of(evaluation={"episodes": 1 << 24})
    assert evaluation_of(run_of(evaluation={"episodes": 0})) is None
    assert evaluation_of(many).total > 1000 * evaluation_of(plain).total / 2
    players = 5  # the agent and four strategies; five numbers are watched at eleven moments
    assert evaluation_of(many).parts["what is kept of episodes"].bytes > players * (1 << 24) * 4 * (5 * 11 + 20)
    # 1,024 episodes are played side by side, however few environments it trains in.
    remembers = run_of(net={"kind": "transformer", "layers": 2, "width": 64, "heads": 2, "window": 512}, n_envs=8)
    ring = 2 * 2 * 64 * 512 * 4
    assert evaluation_of(remembers).parts["the agent"].bytes > 2 * 1024 * ring
    assert evaluation_of(remembers).total > estimate(remembers, make(remembers.env)).total


@pytest.mark.parametrize("watched", ["execution", "market_making"])
def test_what_is_kept_of_episodes_is_counted(watched):
    env = make(EnvConfig(task=TASKS[watched].config(), market=MarketConfig(engine="xla")))
    of = comparing(env, Episodes(count=1000, seed=0), 3).parts["what is kept of episodes"].bytes
    paths = 3 * 1000 * 5 * 4 * (env.decisions + 1)
    assert paths < of < 3 * paths + 3 * 1000 * 4 * 40 * 4


def test_strategies_that_one_name_stands_for_are_counted():
    env = make(EnvConfig(task=MakingConfig(offsets_ticks=(0, 1, 2)), market=MarketConfig(engine="xla")))
    own = TASKS[env.name].strategies
    made = strategies(env, env.default_params)
    assert own.count(env.default_params, own.names) == len(made) == 3
    assert own.count(env.default_params, ("symmetric", *own.models)) == 3 + len(own.models)


def test_a_sweep_counts_the_learning_curves_that_it_keeps(tmp_path):
    from lobjax.learn.sweep.config import load_sweep

    path = tmp_path / "sweep.yaml"
    path.write_text(
        "space: {algorithm.learning_rate: [1e-3]}\nmethod: grid\nseeds: 2\ntrain:\n"
        "  {env: {}, n_envs: 1, rollout_length: 1, total_steps: 2000000000, algorithm: {minibatches: 1},"
        " net: {kind: mlp, hidden: [4]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=r"a program of 2 runs .* most of it for learning curves \(59.6 GiB\)"):
        load_sweep(path)


def test_traces_of_streams_are_refused_where_they_do_not_fit(little):
    from lobjax.engine import trace_streams
    from lobjax.engine.random_streams import random_streams

    with pytest.raises(InputError, match="40 books of capacity 64, listed after each of 100 messages needs about"):
        trace_streams(random_streams(0, 40, 100), engine="xla", capacity=64)


def test_parts_of_a_conformance_run_hold_no_more_books_than_fit():
    from bench.verification.streams import parts

    assert parts.held(10**9, 2000, 512, True) == parts.PART_MESSAGES // 2000
    assert parts.held(10**9, 1, 512, True) * 512 * 32 <= parts.PART_BYTES
    parts.check(10**6, [512], True)


def test_vector_environments_beyond_the_memory_are_refused():
    pytest.importorskip("gymnasium")
    from lobjax.env.gymnasium import make_vec

    with pytest.raises(ValueError, match=r"^n_envs: 1,000,000,000,000 environments needs about"):
        make_vec(EnvConfig(market=MarketConfig(engine="xla")), 10**12)


@pytest.mark.parametrize(("name", "limit"), [("avellaneda_stoikov", 1_000_000), ("cartea_jaimungal", 30_000)])
def test_tables_of_closed_forms_are_bounded_before_they_are_computed(name, limit):
    from lobjax.strategies import ModelsConfig, QuotingConfig

    decisions = 1_000_000 if limit > 10**5 else 1
    task = MakingConfig(quote_lots=1, inventory_limit_lots=limit, decisions=decisions, step_s=0.05)
    env = make(EnvConfig(task=task, market=MarketConfig(engine="xla")))
    numbers = QuotingConfig(volatility=0.0, fill_rate=1e-9, decay=1.0, running_penalty=0.0, terminal_penalty=0.0)
    with pytest.raises(InputError, match=f"^{name}: .* inventories are too many for a (table|matrix)"):
        strategies(env, env.default_params, (name,), models=ModelsConfig(quoting=numbers))


def test_a_torch_run_counts_one_memory_or_two(monkeypatch):
    torch = pytest.importorskip("torch")
    from lobjax.learn.torch import memory as ours
    from lobjax.learn.torch.group import Group

    config = run_of(net={"kind": "transformer", "layers": 1, "width": 32, "heads": 2, "window": 8})
    env = make(config.env)
    one = ours.estimates(config, env, Group(0, 1, torch.device("cpu")))
    assert list(one) == ["this run"]
    alone = one["this run"][0]
    # Processes of one machine take their parts of the environments, and each a network, from one memory.
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    both = ours.estimates(config, env, Group(0, 2, torch.device("cpu")))["this run"][0]
    assert both.parts["environments"].bytes == alone.parts["environments"].bytes
    assert both.parts["parameters"].bytes == 2 * alone.parts["parameters"].bytes
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (LITTLE, 2 * LITTLE))
    two = ours.estimates(config, env, Group(0, 1, torch.device("cuda", 0)))
    assert {what: free for what, (_, free) in two.items()}["this run's network"] == LITTLE
    assert np.isclose(sum(made.total for made, _ in two.values()), alone.total)
