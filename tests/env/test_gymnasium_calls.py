"""What callers pass to the Gymnasium adapters: seeds, masks, modes and actions, in any order of calls; taken, or refused in one line."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from lobjax.env.gymnasium import LobjaxVectorEnv
from lobjax.errors import InputError
from tests.env.gymnasium_probes import single, vector

N = 3
NOTHING = np.zeros((N, 1), int)
BIG = 2**63 + 3


def refused(call, words=""):
    """The call is refused in one line, as a user of Gymnasium and one of ours expect it."""
    with pytest.raises(InputError, match=words) as caught:
        call()
    assert isinstance(caught.value, ValueError) and "\n" not in str(caught.value) and len(str(caught.value)) < 300


def path(env, **arguments):
    """What eight resets show, the first with these arguments: it tells seeds apart."""
    return np.stack([env.reset(**arguments)[0], *(env.reset()[0] for _ in range(7))])


def key_of(env, **arguments):
    env.reset(**arguments)
    return [tuple(words) for words in np.asarray(jax.random.key_data(env._batch._own)).tolist()]


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), np.array(3), jnp.int32(3), torch.tensor(3)], ids=repr)
def test_any_integer_is_a_seed(seed):
    for env in (vector("observed", N), single("observed")):
        assert np.array_equal(path(env, seed=3), path(env, seed=seed)) and env.np_random_seed == 3


def test_a_seed_for_each_environment_is_that_of_a_single_one():
    envs, alone = vector("observed", N), single("observed")
    keys, seen = key_of(envs, seed=[3, 4, BIG]), path(envs, seed=[3, 4, BIG])
    assert keys == [key_of(alone, seed=seed)[0] for seed in (3, 4, BIG)]
    assert [np.asarray(alone.reset(seed=seed)[0]).tolist() for seed in (3, 4, BIG)] == seen[0].tolist()
    for seeds in ((np.int64(3), 4, np.uint64(BIG)), np.array([3, 4, BIG], np.uint64), range(3, 6)):
        assert key_of(envs, seed=seeds)[:2] == keys[:2]
    assert np.array_equal(path(envs, seed=(3, 4, BIG)), seen), "what is drawn without a seed follows from the list too"
    assert key_of(envs, seed=3)[0] == keys[0] and len(set(key_of(envs, seed=3))) == N
    assert len({key_of(envs, seed=seed)[0] for seed in (3, 2**32 + 3, 2**33 + 3, BIG, 2**64 - 1)}) == 5


def test_none_in_a_list_of_seeds_is_drawn():
    envs = vector("observed", N)
    keys = key_of(envs, seed=[3, None, 5])
    assert keys[0] == key_of(envs, seed=3)[0] and keys[1] != key_of(envs, seed=[3, None, 5])[1]
    drawn = [(envs.reset(seed=8), key_of(envs, seed=[None] * N))[1] for _ in range(2)]
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == N


NO_SEEDS = [-1, 1.0, np.float32(2), True, np.bool_(True), "3", 2**64, {1: 2}, {1, 2, 3}, np.array(1.5)]
NO_LISTS = [
    [1, 2],
    [1, 2, 3, 4],
    [1, 2, -3],
    [1.0, 2, 3],
    [True, 1, 2],
    [1, 2, 2**64],
    [[1], [2], [3]],
    ["1", 2, 3],
    b"123",
]
NO_ARRAYS = [np.array([1.0, 2, 3]), np.ones((N, 1), int), np.array([True] * N), np.array([], int)]


@pytest.mark.parametrize("seed", [*NO_SEEDS, *NO_LISTS, *NO_ARRAYS], ids=repr)
def test_what_is_no_seed_is_refused(seed):
    for env in (vector("observed", N), single("observed")):
        env.reset(seed=5)
        state = env.np_random.bit_generator.state
        refused(lambda env=env: env.reset(seed=seed), "^seed")
        assert env.np_random.bit_generator.state == state


def test_a_mask_resets_those_it_names_and_no_others():
    envs, twin = (vector("recall", N, autoreset_mode="Disabled") for _ in range(2))
    for one in (envs, twin):
        one.reset(seed=4)
        one.step(NOTHING)
    mask = np.array([False, True, False])
    observation, infos = envs.reset(seed=[None, 9, None], options={"reset_mask": mask})
    assert infos == {} and mask.tolist() == [False, True, False]
    assert observation[1, 0] == single("recall").reset(seed=9)[0][0]
    for _ in range(2):
        ours, theirs = envs.step(NOTHING), twin.step(NOTHING)
        for a, b in zip(ours[:4], theirs[:4], strict=True):
            assert np.array_equal(a[~mask], b[~mask])
        assert ours[0][:, 1].tolist() == (theirs[0][:, 1] - mask).tolist(), "the clock of the one is a step behind"
    assert envs.step(NOTHING)[2].tolist() == [True, False, True]
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"environments \[0, 2\]"):
        envs.step(NOTHING)
    envs.reset(options={"reset_mask": [True, False, True]})
    assert envs.step(NOTHING)[2].tolist() == [False, True, False]


@pytest.mark.parametrize(
    "options",
    [
        {"reset_mask": np.ones(N)},
        {"reset_mask": np.ones(N, int)},
        {"reset_mask": np.ones(N + 1, bool)},
        {"reset_mask": np.ones((N, 1), bool)},
        {"reset_mask": np.zeros(N, bool)},
        {"reset_mask": None},
        {"reset_mask": True},
        {"reset_mask": [[True], [True, False], True]},
        ["reset_mask"],
        "reset_mask",
    ],
    ids=repr,
)
def test_what_is_no_mask_is_refused(options):
    envs = vector("observed", N)
    envs.reset(seed=0)
    refused(lambda: envs.reset(options=options), "options")


def test_options_that_are_not_known_name_the_nearest():
    envs, alone = vector("observed", N), single("observed")
    refused(lambda: envs.reset(options={"reset_masks": np.ones(N, bool)}), "did you mean 'reset_mask'")
    refused(lambda: alone.reset(options={"reset_mask": np.ones(1, bool)}), "this environment has none")
    with pytest.raises(gymnasium.error.ResetNeeded, match="first reset"):
        envs.reset(options={"reset_mask": np.ones(N, bool)})


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("name", ["delayed", "cut"])  # episodes of two steps, in which nothing is left to chance
def test_autoreset_is_gymnasiums_own(mode, name):
    """Step by step what `SyncVectorEnv` makes of single environments, with environment 0 a step behind the others."""
    ours, theirs = (
        vector(name, N, autoreset_mode=mode.value),
        SyncVectorEnv([lambda: single(name)] * N, autoreset_mode=mode),
    )
    assert ours.metadata["autoreset_mode"] is mode
    behind = np.array([True, False, False])
    for envs in (ours, theirs):
        envs.reset(seed=1)
        envs.step(NOTHING)
        envs.reset(options={"reset_mask": behind.copy()})
    over = np.zeros(N, bool)
    for _ in range(7):
        if mode is AutoresetMode.DISABLED and over.any():
            a, b = (envs.reset(options={"reset_mask": over.copy()})[0] for envs in (ours, theirs))
            assert np.array_equal(a, b)
        mine, gymnasiums = ours.step(NOTHING), theirs.step(NOTHING)
        for a, b in zip(mine[:4], gymnasiums[:4], strict=True):
            assert np.array_equal(a, b) and a.dtype == (np.float32 if b.dtype == float else b.dtype)
        same_infos(mine[4], gymnasiums[4])
        over = mine[2] | mine[3]
    assert ("final_obs" in mine[4]) == (mode is AutoresetMode.SAME_STEP)


def same_infos(ours, theirs):
    none = np.zeros(N, bool)
    for name in {*ours, *theirs} - {"final_info"}:
        if name.startswith("_"):
            assert np.array_equal(ours.get(name, none), theirs.get(name, none)), name
        elif f"_{name}" in theirs:
            mask = theirs[f"_{name}"]
            assert all(np.array_equal(a, b) for a, b in zip(ours[name][mask], theirs[name][mask], strict=True)), name
    if "final_info" in theirs:
        same_infos(ours["final_info"], theirs["final_info"])


def test_modes_and_lengths_that_are_not_known_are_refused():
    refused(lambda: vector("observed", N, autoreset_mode="NextStop"), "did you mean 'NextStep'")
    refused(lambda: vector("observed", N, autoreset_mode=3), "autoreset_mode")
    refused(lambda: vector("observed", N, render_mode="human"), "render_mode")
    refused(lambda: single("observed", render_mode="ansi"), "has no book to draw")
    refused(lambda: LobjaxVectorEnv("configs/train/execution.yaml", N), "or call make_vec")
    for n in (0, -1, 1.5, True, "3", None):
        refused(lambda n=n: vector("observed", n), "n_envs")
        if n is not None:
            refused(lambda n=n: vector("observed", N, max_episode_steps=n), "max_episode_steps")


def test_longer_episodes_are_truncated():
    envs = vector("recall", N, max_episode_steps=2)
    envs.reset(seed=0)
    assert not envs.step(NOTHING)[3].any()
    *_, terminated, truncated, infos = envs.step(NOTHING)
    assert truncated.all() and not terminated.any() and infos["final_info"]["episode_length"].tolist() == [2] * N
    assert not envs.step(NOTHING)[3].any()


DISCRETE = [
    1.0,
    np.nan,
    True,
    "a",
    None,
    1j,
    [],
    [[0]],
    [0, 0],
    {"a": 1},
    2,
    -1,
    2**40,
    torch.zeros(1, requires_grad=True),
]


@pytest.mark.parametrize("bad", DISCRETE, ids=repr)
def test_what_is_no_choice_is_refused(bad):
    envs, alone = vector("contextual", N), single("contextual")
    envs.reset(seed=0)
    alone.reset(seed=0)
    refused(lambda: envs.step([[bad]] * N), "actions")
    refused(lambda: envs.step(bad), "actions")
    refused(lambda: alone.step(bad), "action")
    refused(lambda: alone.step([bad]), "action")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e-3, 1e39, 3e38, True, "1", None, 1j], ids=repr)
def test_what_is_no_share_is_refused(bad):
    envs, alone = vector("simplex", N), single("simplex")
    envs.reset(seed=0)
    alone.reset(seed=0)
    rows = np.array([[1, 0, 0], [0, 1, 0], [0, 3e38 if bad == 3e38 else 0, bad]], np.asarray(bad).dtype)
    if bad is True:
        rows = rows.astype(bool)
    refused(lambda: envs.step(rows), "actions")
    refused(lambda: alone.step(rows[2]), "action")
    for shape in ((), (2,), (4,), (1, 3), (0,)):
        refused(lambda shape=shape: alone.step(np.zeros(shape)), r"action have shape|action")


def test_actions_of_every_certain_form_are_the_same():
    envs, alone = vector("contextual", N), single("contextual")
    choices = [[0], [1], [1]]
    forms = [
        choices,
        tuple(map(tuple, choices)),
        np.array(choices, np.uint8),
        torch.tensor(choices),
        jnp.array(choices),
    ]
    rewards = [(envs.reset(seed=0), envs.step(form)[1].tolist())[1] for form in forms]
    assert rewards == rewards[:1] * len(forms)
    assert [(alone.reset(seed=0), alone.step(form[1])[1])[1] for form in forms].count(rewards[0][1]) in (0, len(forms))
    envs, parts = vector("simplex", N), [[0, 0, 1]] * N
    forms = [
        parts,
        np.array(parts, np.float16),
        torch.tensor(parts, dtype=torch.float64),
        jnp.array(parts),
        np.array(parts, int),
    ]
    rewards = [(envs.reset(seed=0), envs.step(form)[1].tolist())[1] for form in forms]
    assert rewards == rewards[:1] * len(forms)


def test_calls_out_of_order_are_told_so():
    needed, closed = gymnasium.error.ResetNeeded, gymnasium.error.ClosedEnvironmentError
    for env, action in ((vector("observed", N), NOTHING), (single("observed"), [0])):
        with pytest.raises(needed, match="call reset"):
            env.step(action)
        env.reset(seed=0)
        env.step(action)
        env.close()
        env.close()
        for call in (env.reset, lambda env=env, action=action: env.step(action), env.render):
            with pytest.raises(closed, match="was closed"):
                call()
    env = single("observed")
    env.reset(seed=0)
    assert env.step([0])[2] is True
    with pytest.raises(needed, match="episode is over"):
        env.step([0])
    env.reset()
    assert env.step([0])[2] is True and env.render() is None


@pytest.mark.parametrize("setting", ["jax_enable_x64", "jax_debug_key_reuse", "jax_disable_jit", "jax_transfer_guard"])
def test_settings_of_jax_change_nothing(setting):
    def played():
        envs, seen = vector("cut", N), []
        envs.reset(seed=2)
        for mask in ([True, True, False], [True, False, False]):
            *arrays, infos = envs.step(NOTHING)
            seen += [*arrays, infos["episode_return"], envs.reset(options={"reset_mask": np.array(mask)})[0]]
        return [*seen, envs.step(NOTHING)[0]]

    before, old = played(), getattr(jax.config, setting)
    jax.config.update(setting, "disallow" if setting == "jax_transfer_guard" else True)
    try:
        after = played()
    finally:
        jax.config.update(setting, old)
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a, b) and a.dtype == b.dtype
