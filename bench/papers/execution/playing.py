"""Playing one cell: whole episodes of one player, timed without compiling, with what must be known to believe them."""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench import timing
from lobjax.env import Environment, EnvState
from lobjax.env.memory import stepping
from lobjax.evaluation import Episodes, Evaluator, OnBatch
from lobjax.ffi.handlers import one_thread, threads
from lobjax.memory import Estimate, Part, exhaustion_as_input_error, tree_bytes
from lobjax.players import Player
from lobjax.policy import LoadedPolicy
from lobjax.results.metrics import MUST_BE_ZERO, MUST_NOT_HAPPEN
from lobjax.strategies import Strategy, immediate, submit_and_leave, twap, volume_profile, vwap

STRATEGIES = ("sl", "twap", "vwap", "market")
INCLUDED = (
    "whole episodes from the opening book on until all is sold, the warm-up included; decisions, messages, matching, accounts, rewards; "
    "compiling and one call before the first are not in the time"
)
_BATCH = 256  # so few that their books stay in a processor's cache
_PROFILE_EPISODES = 512
_FIGURES, _WORD = 40, 4  # scalars of an episode's end, and their bytes
_COPIES = 2  # of what was played: by batch, and joined


class Result(NamedTuple):
    """What a player did in n episodes."""

    returns: np.ndarray  # float64 [n], ticks per lot above the best bid at the start
    counts: dict[str, float]  # sums over episodes of what must be 0
    messages: int  # of market and player, in warm-up (its last step) and episodes
    seconds: float  # of the calls that played them, without compiling
    compile_s: float  # 0 where the program was there already
    compiled_numba: bool
    batch: int  # episodes of a call

    @property
    def n(self) -> int:
        return len(self.returns)

    @property
    def mean(self) -> float:
        return float(self.returns.mean())

    @property
    def std(self) -> float:
        return float(self.returns.std(ddof=1))

    @property
    def se(self) -> float:
        """Standard error of the mean."""
        return self.std / self.n**0.5

    @property
    def wrong(self) -> dict[str, float]:
        """Counts that are not 0 and make the market another than the one asked for. Stuck lots are valued, and do not."""
        return {name: count for name, count in self.counts.items() if count and name in MUST_NOT_HAPPEN}


class ProgramCache:
    """Programs that play, each compiled once for all cells and players that it can play: sizes matter to it, numbers do not."""

    def __init__(self) -> None:
        # What was compiled so far, by all that tells one program from another.
        self.programs: dict[Hashable, timing.Compiled] = {}

    def play(
        self,
        env: Environment,
        player: Player,
        count: int,
        seed: int,
        first: int = 0,
        on_batch: OnBatch = lambda done: None,
    ) -> Result:
        """`count` episodes of `seed`, numbered from `first` on, the same ones for every player. `on_batch` is told how many are done."""
        batch = -(-count // -(-count // _BATCH))  # calls of one size, with few episodes to spare
        episodes = Episodes(count=count, seed=seed, stops=True, batch=batch)
        rebuild, arrays, kind = _taken_apart(player)
        arguments = (arrays, env.default_params)
        key = (_sizes(env), kind, _shapes(arguments), seed, batch)
        compiling = key not in self.programs
        what = f"{batch:,} episodes side by side"
        with exhaustion_as_input_error(what, change="give a smaller capacity or step"):
            if compiling:
                self.programs[key] = _compiled(env, episodes, rebuild, arguments)
            made = self.programs[key]
            parts, seconds = _timed(made.call, arguments, episodes, first, on_batch)
        played = jax.tree.map(lambda *arrays: np.concatenate(arrays)[:count], *parts)
        return Result(
            returns=played.final["episode_return"].astype(np.float64),
            counts={name: float(played.final[name].sum()) for name in MUST_BE_ZERO},
            messages=messages_within(played.path["messages"], played.final["episode_length"]),
            seconds=seconds,
            compile_s=made.seconds if compiling else 0.0,
            compiled_numba=made.numba and compiling,
            batch=batch,
        )


def check_memory(env: Environment, episodes: int, *, results: int = 1, agent: Any | None = None) -> None:
    """InputError where so many episodes need more memory than there is; nothing compiles.

    `results` are kept; `agent`: a `lobjax.results.memory.Acting` where one plays.
    """
    beside = max(threads() * _BATCH, _PROFILE_EPISODES)
    parts = stepping(env, beside, "give a smaller capacity or step, or fewer threads (NUMBA_NUM_THREADS)").parts
    each = _COPIES * _WORD * (_FIGURES + env.decisions + 1) + 2 * _WORD * (env.decisions + 1) + 2 * _WORD * results
    parts["figures of episodes"] = Part(episodes * each, "lower --episodes or --horizon")
    if agent is not None:
        carry = tree_bytes(jax.eval_shape(lambda: agent.initial_carry(beside)))
        parts["the agent"] = Part(
            _COPIES * (carry + tree_bytes(agent.params)), "give its network a smaller size (--set)"
        )
    Estimate(parts).check(f"to play {episodes:,} episodes")


def strategy(name: str, env: Environment, profile: np.ndarray | None = None) -> Strategy:
    """One of `STRATEGIES` for this task; `profile` is VWAP's (`profile_of`), measured if it is not given."""
    lots = int(env.default_params.task.lots)
    if name == "vwap":
        return vwap(lots, profile_of(env) if profile is None else profile)
    return {"sl": submit_and_leave, "twap": twap, "market": immediate}[name](lots, env.decisions)


def profile_of(env: Environment) -> np.ndarray:
    """Lots that the market trades between decisions, float64 [decisions], from episodes that no seed plays."""
    key = jax.random.fold_in(jax.random.key(0), 2**32 - 1)  # episodes are numbered below 2^31
    return volume_profile(env, env.default_params, jax.random.split(key, _PROFILE_EPISODES))


def _watch(state: EnvState) -> dict[str, jax.Array]:
    return {"messages": state.market.tape.messages}


def messages_within(messages: np.ndarray, length: np.ndarray) -> int:
    """Messages [n, 1 + decisions] of the warm-up and of each step, summed up to the end of each episode (its `length` in steps)."""
    return int(messages[np.arange(messages.shape[1]) <= length[:, None]].sum(dtype=np.int64))


def _taken_apart(player: Player) -> tuple[Callable[[Any], Player], Any, Hashable]:
    """How to build the player from its arrays, these arrays, and all else that tells its program from another's."""
    if isinstance(player, LoadedPolicy):

        def policy(arrays: Any) -> Player:
            return replace(player, params=arrays[0], statistics=arrays[1])

        return policy, (player.params, player.statistics), (player.config, player.deterministic)
    return lambda arrays: arrays, player, type(player)


def _sizes(env: Environment) -> Hashable:
    return env.market, env.task, env.decisions, env.warm_up_steps


def _shapes(tree: Any) -> Hashable:
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple((jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves)


def _compiled(env: Environment, episodes: Episodes, rebuild: Callable, arguments: tuple) -> timing.Compiled:
    evaluator = Evaluator(env, env.default_params, episodes, _watch)
    first = _numbers(0, episodes.batch)

    def play(arrays: Any, params: Any, index: jax.Array) -> Any:
        return evaluator.batch(rebuild(arrays), params, index)

    with one_thread():
        made = timing.compiled(play, *arguments, first)
    jax.block_until_ready(made.call(*arguments, first))
    return made


def _timed(
    call: Callable, arguments: tuple, episodes: Episodes, first: int, on_batch: OnBatch
) -> tuple[list[Any], float]:
    """Play all batches, as many at once as there are threads, each on one: no thread waits for another between steps."""
    starts = range(0, episodes.count, episodes.batch)
    numbers = jax.block_until_ready([_numbers(first + done, episodes.batch) for done in starts])
    parts = []
    with ThreadPoolExecutor(threads()) as pool:
        begun = time.perf_counter()
        for part in pool.map(lambda index: jax.block_until_ready(call(*arguments, index)), numbers):
            parts.append(part)
            on_batch(min(len(parts) * episodes.batch, episodes.count))
        seconds = time.perf_counter() - begun
    return [jax.tree.map(np.asarray, part) for part in parts], seconds


def _numbers(first: int, count: int) -> jax.Array:
    return jnp.arange(first, first + count, dtype=jnp.int32)
