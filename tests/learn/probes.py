"""Tiny environments with known answers, in the shape of `lobjax.env`; each catches one class of bug.

They differ in their parameters alone, which are data, so that one compiled program trains them all.
`python -m tests.learn.probes run|resume|digest ...` is `python -m train` over them: a configuration's section `env` is
{probe: NAME}.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from lobjax.config import build
from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.errors import nearest
from lobjax.learn.tasks import Tasks
from train.__main__ import main

AIM = (0.6, 0.3, 0.1)


@struct.dataclass
class ProbeState:
    t: jax.Array
    hidden: jax.Array  # a sign drawn at the start
    paid: jax.Array
    key: jax.Array  # a key in the state, as a market has one


class Rules(NamedTuple):
    """Parameters of an episode; `shows` and `pays` are places in the lists below."""

    shows: Any
    pays: Any
    length: Any = 1
    truncates: Any = False


SHOWS = {
    "nothing": lambda hidden, t: (0.0, 0.0),
    "sign": lambda hidden, t: (hidden, 0.0),
    "time": lambda hidden, t: (t, 0.0),
    "cue": lambda hidden, t: (jnp.where(t == 0, hidden, 0.0), t),
}
PAYS = {
    "one": lambda hidden, t, action: 1.0,
    "sign": lambda hidden, t, action: hidden,
    "second": lambda hidden, t, action: t == 1,
    "first action": lambda hidden, t, action: action[0] == 1,
    "match": lambda hidden, t, action: action[0] == (hidden > 0),
    "late match": lambda hidden, t, action: (action[0] == (hidden > 0)) & (t == 3),
    "aim": lambda hidden, t, action: -jnp.sum((action - jnp.array(AIM)) ** 2) if action.shape == (3,) else 0.0,
    "nan": lambda hidden, t, action: jnp.where(t == 9, jnp.nan, 1.0),
}


def rules(shows: str, pays: str, length: int = 1, truncates: bool = False) -> Rules:
    numbers = list(SHOWS).index(shows), list(PAYS).index(pays), length
    return Rules(*(jnp.int32(n) for n in numbers), jnp.bool_(truncates))


@dataclass(frozen=True)
class Probe:
    name: str
    default_params: Rules
    action_space: Any
    observation_size: int = 2
    actions: str = "guesses"

    def reset(self, key, params):
        hidden_key, own = jax.random.split(key)
        hidden = jax.random.rademacher(hidden_key, (), jnp.float32)
        state = ProbeState(jnp.int32(0), hidden, jnp.float32(0), own)
        return _see(state, params), state

    def transition(self, key, state, action, params):
        pays = [lambda *x, f=f: jnp.asarray(f(*x), jnp.float32) for f in PAYS.values()]
        reward = jax.lax.switch(params.pays, pays, state.hidden, state.t, action)
        state = state.replace(t=state.t + 1, paid=state.paid + reward)
        done = state.t >= params.length
        info = {"episode_return": state.paid, "episode_length": state.t, "refused": jnp.int32(2)}
        return _see(state, params), state, reward, done & ~params.truncates, done & params.truncates, info


def _see(state, params):
    shows = [lambda *x, f=f: jnp.stack([jnp.asarray(part, jnp.float32) for part in f(*x)]) for f in SHOWS.values()]
    return jax.lax.switch(params.shows, shows, state.hidden, state.t)


PROBES = {
    "constant": rules("nothing", "one"),
    "observed": rules("sign", "sign"),
    "delayed": rules("time", "second", length=2),
    "action": rules("nothing", "first action"),
    "contextual": rules("sign", "match"),
    "truncated": rules("nothing", "one", length=3, truncates=True),
    "cut": rules("time", "second", length=2, truncates=True),
    "recall": rules("cue", "late match", length=4),
    "broken": rules("nothing", "nan", length=20),
    "simplex": rules("cue", "aim", length=3),
}


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    probe: str

    def __post_init__(self) -> None:
        if self.probe not in PROBES:
            raise ValueError(f"no probe '{self.probe}'; {nearest(self.probe, PROBES)}")


def make(config: ProbeConfig) -> Probe:
    space = Simplex(3) if config.probe == "simplex" else MultiDiscrete((2,))
    return Probe(config.probe, PROBES[config.probe], space)


TASKS = Tasks(lambda section: build(ProbeConfig, section, "config.env"), make)

if __name__ == "__main__":
    main(tasks=TASKS)
