"""Play the same episodes on one device or split over four, and print a hash of all that was seen and of every market."""

import sys

import jax
import jax.numpy as jnp
import numpy as np

from tests.env.environments import simulated
from tests.env.test_contract import digest

N, STEPS = 8, 6


def main(devices: int) -> None:
    """Print the digest."""
    env = simulated("execution")
    params = env.default_params
    key_reset, key_steps, key_acts = jax.random.split(jax.random.key(0), 3)

    def play(reset_keys, step_keys, act_keys):
        observation, state = jax.vmap(env.reset, in_axes=(0, None))(reset_keys, params)

        def one(state, keys):
            action = jax.vmap(env.action_space.sample)(keys[1])
            step = jax.vmap(env.step, in_axes=(0, 0, 0, None))(keys[0], state, action, params)
            return step[1], (step[0], step[2], step[3], step[4])

        return observation, *jax.lax.scan(one, state, (step_keys, act_keys))

    def by_step(key):
        return jnp.stack([jax.random.split(jax.random.fold_in(key, t), N) for t in range(STEPS)])

    keys = (jax.random.split(key_reset, N), by_step(key_steps), by_step(key_acts))
    if devices == 1:
        seen = jax.jit(play)(*keys)
    else:
        split = [jnp.stack(jnp.split(k, devices, axis=min(k.ndim - 1, 1))) for k in keys]
        seen = jax.pmap(play)(*split)
        # Devices lead every leaf; put their environments side by side again.
        first, state, steps = jax.tree.map(np.asarray, seen)
        state, first = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), (state, first))
        seen = first, state, jax.tree.map(lambda x: np.concatenate(list(x), axis=1), steps)
    print(digest(seen))


if __name__ == "__main__":
    main(int(sys.argv[1]))
