"""The public checks hold for everything that is registered, and each says what is broken where something is."""

from dataclasses import dataclass, fields, replace

import jax
import jax.numpy as jnp
import pytest

from lobjax import testing
from lobjax.engine import ENGINES
from lobjax.env import Environment, MultiDiscrete
from lobjax.errors import InputError
from lobjax.flow import FLOWS, MixedConfig, Needs, PoissonConfig, RecordedConfig
from lobjax.snapshot import write_npz
from lobjax.tasks import TASKS, EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, PortfolioConfig, SnapshotConfig
from tests.compiling import quick_jit
from tests.env.environments import simulated
from tests.snapshot.days import day

SMALL = {
    "execution": ExecutionConfig(lots=12, decisions=3, step_s=4.0),
    "market_making": MakingConfig(decisions=3, step_s=2.0, quote_lots=3, inventory_limit_lots=6),
    "snapshot": SnapshotConfig(decisions=3),
    "portfolio": PortfolioConfig(decisions=3, window=4, made_up_assets=3, made_up_sessions=40),
}
pytestmark = pytest.mark.slow  # every check compiles programs of its own
FLOW_CONFIGS = {
    "poisson": PoissonConfig(),
    "mixed": MixedConfig(flows=(PoissonConfig(), PoissonConfig(market_per_s=0.2))),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_keeps_the_contract(task, tmp_path):
    market = MarketConfig(capacity=64, max_messages=96, engine="xla")
    config = EnvConfig(task=SMALL[task], flow=PoissonConfig(warm_up_s=2.0), market=market)
    if task == "snapshot":
        write_npz(tmp_path / "day.npz", day())
        flow = RecordedConfig(path=tmp_path / "day.npz", from_time="09:30", until_time="09:36:39", start_every_s=1.0)
        config = EnvConfig(task=SMALL[task], flow=flow, market=MarketConfig(levels=3))
    if task == "portfolio":
        config = EnvConfig(task=SMALL[task])
    testing.check_task(TASKS[task], config, jit=quick_jit)


@pytest.mark.parametrize(
    "kind", [kind for kind in FLOWS if kind != "recorded"]
)  # which tests/flow and tests/data play whole days of
def test_every_simulated_flow_keeps_the_contract(kind):
    made = FLOWS[kind].make(FLOW_CONFIGS[kind], Needs(capacity=64, episode_s=10.0, episode_messages=0))
    testing.check_flow(made.flow, made.params, messages=32, jit=quick_jit)


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_equals_the_reference(name):
    try:
        testing.check_engine(name, books=4, messages=64)
    except InputError as error:
        pytest.skip(str(error))


class Broken:
    """The task of an environment with something else in place of one of its parts."""

    def __init__(self, task, **parts):
        self._task, self._parts = task, parts

    def __getattr__(self, name):
        return self._parts[name] if name in self._parts else getattr(self._task, name)


def broken(**parts) -> Environment:
    env = simulated("market_making", engine="xla")
    return replace(env, task=Broken(env.task, **parts))  # pyright: ignore[reportArgumentType]


def spoilt(judge):
    """A `judge` whose results are changed by `judge`."""
    task = simulated("market_making", engine="xla").task
    return lambda *given: judge(*task.judge(*given))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"observation_names": ("a", "a")}, "observation_names: one is given twice"),
        ({"idle": (9, 9)}, "idle: is no action"),
        ({"judge": spoilt(lambda s, r, e, c, m: (s, r, e, e, m))}, "terminated and truncated at once"),
        ({"judge": spoilt(lambda s, r, e, c, m: (s, r, jnp.bool_(False), c, m))}, "an episode of 4 decisions goes on"),
        ({"judge": spoilt(lambda s, r, e, c, m: (s, r * jnp.inf, e, c, m))}, "a reward is not finite"),
        ({"judge": spoilt(lambda s, r, e, c, m: (s, r, e, c, {}))}, "the metric profit_ticks is not in info"),
    ],
)
def test_what_is_broken_is_said(parts, said):
    with pytest.raises(AssertionError, match=said):
        testing.check_environment(broken(**parts), jit=quick_jit)


class Forgets(Environment):
    """Its last observation of an episode is lost: the next one's first stands in its place."""

    def step(self, key, state, action, params=None):
        observation, state, *ends, info = super().step(key, state, action, params)
        return observation, state, *ends, info | {"final_observation": observation}


class Accumulates(Environment):
    """A new episode begins with the return of the one before."""

    def step(self, key, state, action, params=None):
        observation, state, *ends, info = super().step(key, state, action, params)
        return observation, state.replace(episode_return=info["episode_return"]), *ends, info


@pytest.mark.parametrize(
    ("kind", "said"), [(Forgets, "is no transition"), (Accumulates, "the state is not that of a new episode")]
)
def test_an_end_that_is_not_what_it_must_be_is_said(kind, said):
    env = simulated("market_making", engine="xla")
    with pytest.raises(AssertionError, match=f"step 4: .*{said}"):
        testing.check_environment(kind(**{f.name: getattr(env, f.name) for f in fields(env)}), jit=quick_jit)


def test_a_flow_with_a_float_is_told():
    made = FLOWS["poisson"].make(PoissonConfig(), Needs(capacity=64, episode_s=10.0, episode_messages=0))

    @dataclass(frozen=True)
    class Floats:
        words: int = 3

        def open(self, key, params, start=None):
            return made.flow.open(key, params, start)

        def next(self, state, book, words, params):
            state, message, wait = made.flow.next(state, book, words, params)
            return state, message._replace(price=message.price.astype(jnp.float32)), wait

    with pytest.raises(AssertionError, match="next: price is not one int32"):
        testing.check_flow(Floats(), made.params, jit=jax.jit)


def test_an_action_that_is_none_is_told():
    space = MultiDiscrete((2, 2))
    odd = type(
        "Odd", (), {"sample": lambda self, key: space.sample(key) + 5, "contains": lambda self, x: space.contains(x)}
    )()
    with pytest.raises(AssertionError, match="action_space: draws what it does not contain"):
        testing.check_environment(broken(action_space=odd), jit=quick_jit)
