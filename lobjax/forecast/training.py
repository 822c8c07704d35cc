"""Training of an ensemble of forecast networks: members of different initialisation and order in one program, under `vmap`.

Scaled features [T, F] and classes [T] lie on the device once; windows are taken from them by index, so no window is stored. A member stops
when its NLL on the validation stretch has not fallen for `patience` epochs, and what is kept of it is its best epoch. All that an epoch
draws comes from the seed, the member and the number of the epoch: going on from a state gives what never stopping would have.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lobjax.errors import InputError
from lobjax.forecast.nets import CNNLSTMConfig, ForecastNetConfig, make_forecast_net
from lobjax.memory import Estimate, Part
from lobjax.ranges import Range, Seed, check
from lobjax.settings import key_of, settled

_CHUNK = 256  # windows that are judged at once
_QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig:
    """`members` networks on windows of `window` samples, trained by AdamW on batches of `batch` until none gets better, or `epochs`.

    `clip` bounds the norm of a member's gradient. `compile` "quick" is for runs of seconds: XLA without LLVM's optimisations.
    """

    net: ForecastNetConfig = field(default_factory=CNNLSTMConfig)
    members: Annotated[int, Range(1, 64)] = 5
    window: Annotated[int, Range(1, 1024)] = 60
    batch: Annotated[int, Range(1, 65_536)] = 64
    epochs: Annotated[int, Range(1, 10_000)] = 30
    patience: Annotated[int, Range(1, 10_000)] = 3
    learning_rate: Annotated[float, Range(0, 1)] = 5e-4
    weight_decay: Annotated[float, Range(0, 10)] = 0.01
    clip: Annotated[float, Range(1e-6, 1e6)] = 1.0
    seed: Seed = 0
    compile: Literal["full", "quick"] = "full"

    def __post_init__(self) -> None:
        check(self)


class Shared(NamedTuple):
    """What all members share."""

    update: jax.Array  # int32[], epochs done


class Members(NamedTuple):
    """The members, leaves lead with [M]."""

    params: Any
    optimiser: Any
    best: Any  # parameters of the epoch with the least NLL
    best_nll: jax.Array  # f32[M], inf before the first epoch
    waited: jax.Array  # int32[M], epochs since then


class EnsembleState(NamedTuple):
    """All that training goes on from."""

    shared: Shared
    members: Members


class Report(NamedTuple):
    """Mean NLL of each member, [M]: over the epoch's batches as they were learnt from, and on the validation stretch after it."""

    train: np.ndarray
    validation: np.ndarray
    seconds: float  # that the epoch took, with its look at the validation stretch; compiling is not counted


class Ensemble:
    """An ensemble on the device with its data; one compiled program each for beginning, an epoch, and probabilities.

    z [T, F]: scaled features; y [T]: classes 0 to 2 at the samples of `train` and `validation`. InputError where a sample's window would
    begin before the day, or where what is compiled needs more memory than there is.
    """

    def __init__(
        self, config: EnsembleConfig, z: np.ndarray, y: np.ndarray, train: slice, validation: slice, name: str = "day"
    ) -> None:
        for what, part in (("training", train), ("validation", validation)):
            if part.start < config.window - 1 or part.stop <= part.start:
                raise InputError(
                    f"{name}: a {what} part of samples {part.start:,} to {part.stop:,} has no room for windows of {config.window}; "
                    "give a longer day or a shorter window"
                )
        self.config = config
        try:
            self.net = make_forecast_net(config.net, config.window, z.shape[1])
        except ValueError as error:
            raise InputError(f"config.net: {error}") from None
        self.optimiser = optax.chain(
            optax.clip_by_global_norm(config.clip),
            optax.adamw(config.learning_rate, weight_decay=config.weight_decay),
        )
        self.z, self.y = jnp.asarray(z, jnp.float32), jnp.asarray(y, jnp.int32)
        self.train, self.validation = train, validation
        self.batch = min(config.batch, train.stop - train.start)
        self._programs: dict[Any, Callable] = {}

    @property
    def windows(self) -> int:
        """Windows that a member learns from in an epoch: whole batches; the rest of an order is left out, another rest each epoch."""
        return (self.train.stop - self.train.start) // self.batch * self.batch

    @settled
    def begin(self) -> EnsembleState:
        """Members as they are initialised."""
        return self._run("begin", _begin)

    @settled
    def epoch(self, state: EnsembleState) -> tuple[EnsembleState, Report]:
        """One more epoch of every member. FloatingPointError where an NLL is not finite."""
        program = self._program("epoch", _epoch, state)
        begun = time.perf_counter()
        state, train, validation = jax.block_until_ready(program(self.z, self.y, state))
        report = Report(np.asarray(train), np.asarray(validation), time.perf_counter() - begun)
        if not (np.isfinite(report.train).all() and np.isfinite(report.validation).all()):
            raise FloatingPointError(f"epoch {int(state.shared.update)}: an NLL is not finite; lower learning_rate")
        return state, report

    def done(self, state: EnsembleState) -> bool:
        """Whether all epochs are behind, or every member has stopped."""
        waited = np.asarray(state.members.waited)
        return int(state.shared.update) >= self.config.epochs or bool((waited >= self.config.patience).all())

    @settled
    def probabilities(self, params: Any, part: slice) -> np.ndarray:
        """Of the members with parameters `params` at the samples of `part`, float64 [M, n, 3]."""
        logits = np.asarray(
            self._run(("logits", part.start, part.stop), partial(_logits, part=part), params), np.float64
        )
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def _run(self, name: Any, function: Callable, *arguments: Any) -> Any:
        return self._program(name, function, *arguments)(self.z, self.y, *arguments)

    def _program(self, name: Any, function: Callable, *arguments: Any) -> Callable:
        """A function of (self, z, y, ...), compiled once; the day is an argument, since constants would be compiled in."""
        if name not in self._programs:
            options = _QUICK if self.config.compile == "quick" else {}
            lowered = jax.jit(partial(function, self)).lower(self.z, self.y, *arguments)
            program = lowered.compile(compiler_options=options)
            about = program.memory_analysis()
            if about is not None:
                parts = {"windows and activations": Part(about.temp_size_in_bytes, "batch, members or window")}
                parts["parameters and moments"] = Part(about.output_size_in_bytes, "members")
                Estimate(parts).check("this ensemble")
            self._programs[name] = program
        return self._programs[name]


def fit(ensemble: Ensemble, tell: Callable[[int, Report], None] = lambda epoch, report: None) -> Any:
    """Train from the beginning; the parameters of each member's best epoch. `tell` hears of each epoch."""
    state = ensemble.begin()
    while not ensemble.done(state):
        state, report = ensemble.epoch(state)
        tell(int(state.shared.update), report)
    return state.members.best


def _begin(ensemble: Ensemble, z: jax.Array, y: jax.Array) -> EnsembleState:
    config = ensemble.config
    keys = jax.random.split(key_of(config.seed), config.members)
    params = jax.vmap(ensemble.net.init)(keys)
    optimiser = jax.vmap(ensemble.optimiser.init)(params)
    worst = jnp.full(config.members, jnp.inf, jnp.float32)
    members = Members(params, optimiser, params, worst, jnp.zeros(config.members, jnp.int32))
    return EnsembleState(Shared(jnp.zeros((), jnp.int32)), members)


def _epoch(ensemble: Ensemble, z: jax.Array, y: jax.Array, state: EnsembleState):
    config, part = ensemble.config, ensemble.train
    validation = jnp.arange(ensemble.validation.start, ensemble.validation.stop, dtype=jnp.int32)

    def nll(params: Any, at: jax.Array, key: jax.Array | None) -> jax.Array:
        logits = ensemble.net.apply(params, windows(z, at, config.window), key)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y[at]).mean()

    def learn(dropping: jax.Array, carry: tuple[Any, Any], now: tuple[jax.Array, jax.Array]):
        (params, optimiser), (at, number) = carry, now
        loss, slopes = jax.value_and_grad(nll)(params, at, jax.random.fold_in(dropping, number))
        steps, optimiser = ensemble.optimiser.update(slopes, optimiser, params)
        return (optax.apply_updates(params, steps), optimiser), loss

    def member(params: Any, optimiser: Any, number: jax.Array) -> tuple[Any, Any, jax.Array, jax.Array]:
        key = jax.random.fold_in(jax.random.fold_in(key_of(config.seed), 1 + state.shared.update), number)
        ordering, dropping = jax.random.split(key)
        order = jax.random.permutation(ordering, jnp.arange(part.start, part.stop, dtype=jnp.int32))
        batches = order[: ensemble.windows].reshape(-1, ensemble.batch)
        numbers = jnp.arange(len(batches), dtype=jnp.int32)
        (params, optimiser), losses = jax.lax.scan(partial(learn, dropping), (params, optimiser), (batches, numbers))
        logits = in_chunks(ensemble, params, z, validation)
        judged = optax.softmax_cross_entropy_with_integer_labels(logits, y[validation]).mean()
        return params, optimiser, losses.mean(), judged

    was = state.members
    numbers = jnp.arange(config.members, dtype=jnp.int32)
    params, optimiser, train, judged = jax.vmap(member)(was.params, was.optimiser, numbers)
    better = (judged < was.best_nll) & (was.waited < config.patience)
    best = jax.tree.map(
        lambda new, old: jnp.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old), params, was.best
    )
    waited = jnp.where(better, 0, was.waited + 1)
    members = Members(params, optimiser, best, jnp.where(better, judged, was.best_nll), waited)
    return EnsembleState(Shared(state.shared.update + 1), members), train, judged


def _logits(ensemble: Ensemble, z: jax.Array, y: jax.Array, params: Any, part: slice) -> jax.Array:
    at = jnp.arange(part.start, part.stop, dtype=jnp.int32)
    return jax.vmap(lambda one: in_chunks(ensemble, one, z, at))(params)


def windows(z: jax.Array, at: jax.Array, length: int) -> jax.Array:
    """The windows that end at samples `at` [n] of z [T, F]: [n, length, F]."""
    return z[at[:, None] + jnp.arange(1 - length, 1, dtype=jnp.int32)]


def in_chunks(ensemble: Ensemble, params: Any, z: jax.Array, at: jax.Array) -> jax.Array:
    """Logits [n, 3] at samples `at`, a chunk of windows after another, so that those of a whole day are never there at once."""
    size = min(_CHUNK, len(at))
    padded = jnp.pad(at, (0, -len(at) % size), mode="edge").reshape(-1, size)
    length = ensemble.config.window
    found = jax.lax.map(lambda chunk: ensemble.net.apply(params, windows(z, chunk, length), None), padded)
    return found.reshape(-1, found.shape[-1])[: len(at)]
