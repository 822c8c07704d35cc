"""The tasks behind Gymnasium's own means: its checker, its ids, its wrappers, pictures, copies and pickles, other processes."""

import copy
import functools
import gc
import pickle
import weakref
from dataclasses import replace
from pathlib import Path

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import vector as vector_wrappers

from lobjax.env.gymnasium import IDS, LobjaxEnv, make_vec
from lobjax.env.gymnasium import programs as shared
from lobjax.errors import InputError
from lobjax.flow import PoissonConfig
from lobjax.snapshot import write_npz
from lobjax.tasks import EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, RecordedConfig, SnapshotConfig
from tests.compiling import FLAGS
from tests.env.environments import TASKS
from tests.env.gymnasium_probes import compiled_quickly, single, vector
from tests.snapshot.days import LEVELS, day

KINDS = [kind for kind in IDS.values() if kind]
N = 2
ID_OF = {kind: name for name, kind in IDS.items()}


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Every comparison here is between programs that are compiled alike."""
    with compiled_quickly(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", FLAGS)  # of processes that are begun
        yield


@pytest.fixture(scope="module")
def config(quick, tmp_path_factory):
    """The configuration of a task; its programs stay compiled for this module."""
    path = tmp_path_factory.mktemp("days") / "day.npz"
    write_npz(path, day())

    @functools.cache
    def of(kind):
        if kind == "snapshot":
            flow = RecordedConfig(path=path, from_time="09:30", until_time="09:36:39", start_every_s=1.0)
            made = EnvConfig(task=SnapshotConfig(decisions=4), flow=flow, market=MarketConfig(levels=LEVELS))
        else:
            market = MarketConfig(capacity=64, max_messages=96)
            made = EnvConfig(task=TASKS[kind], flow=PoissonConfig(warm_up_s=4.0), market=market)
        return made, shared.programs_of_config(made)

    return lambda kind: of(kind)[0]


def made(config, kind, **keywords):
    return gymnasium.make(ID_OF[kind], config=config(kind), **keywords)


def end_of(env, seed):
    """Everything from a reset to the end of an episode, with actions that the seed draws."""
    env.action_space.seed(seed)
    rows = [env.reset(seed=seed)]
    while len(rows) == 1 or not (rows[-1][2] or rows[-1][3]):
        rows.append(env.step(env.action_space.sample()))
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_gymnasiums_checker_has_nothing_to_say(config, kind, capsys):
    """Warnings are errors here. It draws every frame there is, too."""
    check_env(made(config, kind).unwrapped)
    assert f"{kind}  step 0/4" in capsys.readouterr().out, "what render_mode human prints"


@pytest.mark.parametrize("kind", KINDS)
def test_every_observation_is_in_the_space_and_episodes_repeat(config, kind):
    env = made(config, kind)
    rows, again = end_of(env, 5), end_of(env, 5)
    assert len(rows) == 5 and rows[-1][3] == (kind == "snapshot")
    for row, other in zip(rows, again, strict=True):
        assert env.observation_space.contains(row[0]) and np.array_equal(row[0], other[0]) and row[1:] == other[1:]
    assert rows[-1][4]["episode_length"] == 4 and rows[-1][4]["episode_return"] == pytest.approx(
        sum(r[1] for r in rows[1:])
    )
    envs = make_vec(config(kind), 1)
    assert np.array_equal(envs.reset(seed=5)[0][0], rows[0][0]), "a single environment is a vector's first"


@pytest.mark.parametrize("mode", ["sync", "vector_entry_point"])
def test_ids_make_vectors(config, mode):
    envs = gymnasium.make_vec("lobjax/Execution-v0", num_envs=N, vectorization_mode=mode, config=config("execution"))
    observation, _ = envs.reset(seed=[1, 2])
    envs.action_space.seed(0)
    for _ in range(5):
        assert envs.observation_space.contains(observation)
        observation, *_ = envs.step(envs.action_space.sample())
    assert repr(envs) and envs.spec.id == "lobjax/Execution-v0"
    envs.close()


def test_ids_have_their_task_and_configurations_are_checked(config, tmp_path):
    assert gymnasium.make("lobjax/Execution-v0").unwrapped.env.decisions == ExecutionConfig().decisions
    changed = gymnasium.make("lobjax/MarketMaking-v0", assignments=("env.task.decisions=7",)).unwrapped.env
    assert changed.name == "market_making" and changed.decisions == 7
    assert make_vec(config("execution"), 2, "env.task.decisions=9").env.decisions == 9
    assert make_vec(EnvConfig(task=MakingConfig(offsets_ticks=[1, 2])), 2).single_action_space.nvec.tolist() == [3, 3]
    (tmp_path / "bad.yaml").write_text("env: {task: {kind: execution, lotz: 3}}")
    absent = EnvConfig(task=SnapshotConfig(), flow=RecordedConfig(path=Path("no.npz")))
    for arguments, message in (
        ({"id": "lobjax/Market-v0"}, "config: None; give the path"),
        ({"id": "lobjax/Market-v0", "config": 7}, "config: 7; give the path"),
        ({"id": "lobjax/Market-v0", "config": tmp_path / "bad.yaml"}, "did you mean 'lots'"),
        ({"id": "lobjax/Snapshot-v0", "config": absent}, "no.npz"),
        ({"id": "lobjax/Snapshot-v0"}, "plays a recorded day"),
        (
            {"id": "lobjax/Execution-v0", "config": config("market_making")},
            "its task is market_making, this id is for execution",
        ),
        ({"id": "lobjax/Execution-v0", "assignments": ["env.task.lotz=3"]}, "did you mean 'lots'"),
    ):
        for make in (gymnasium.make, gymnasium.make_vec):
            with pytest.raises(InputError, match=message) as caught:
                make(**arguments)
            assert "\n" not in str(caught.value)
    with pytest.warns(UserWarning), pytest.raises(InputError, match="did you mean 'rgb_array'"):
        made(config, "execution", render_mode="rgb_arrays")


@pytest.mark.parametrize("kind", KINDS)
def test_frames_show_the_book(config, kind):
    env = made(config, kind, render_mode="ansi")
    env.reset(seed=3)
    act = {"execution": np.eye(7)[1], "market_making": [1, 1], "snapshot": [10]}[kind]
    before = env.render()
    env.step(act)
    lines = env.render().splitlines()
    assert env.render() != before and all(line.isascii() for line in lines)
    market = env.unwrapped._batch.state.market
    if kind == "snapshot":
        position, side, levels = market.account.position, np.stack([market.bids[0], market.asks[0]]), LEVELS
        price, lots, own = side[..., 0], side[..., 1], np.zeros((2, LEVELS), int)
        assert int(position[0]) == 5
    else:
        position, levels = market.accounts.lots[:, 1], 5
        price, lots = (np.asarray(x[0]) for x in market.depth)
        mine = np.where(np.asarray(market.book.owner[0]) == 1, market.book.size[0], 0)
        own = np.array([[mine[s][np.asarray(market.book.price[0])[s] == p].sum() for p in price[s]] for s in range(2)])
        assert own.sum() == (12 if kind == "execution" else 6) - abs(int(position[0]))
    rows = [("ask", 1, k) for k in reversed(range(levels))] + [("bid", 0, k) for k in range(levels)]
    assert lines[0].startswith(f"{kind}  step 1/4") and lines[1].split() == ["price", "lots", "own"]
    assert [line.split() for line in lines[2:-1]] == [
        [name, f"{price[s, k]:,}", f"{lots[s, k]:,}", f"{own[s, k]:,}"] for name, s, k in rows if lots[s, k] > 0
    ]
    assert lines[-1].startswith(f"position {int(position[0]):+,} lots  cash ")


def test_pictures_and_lists_of_frames(config):
    env = made(config, "market_making", render_mode="rgb_array_list")
    env.reset(seed=3)
    env.step([1, 1])
    first, second = env.render()
    assert first.shape == second.shape == (360, 480, 3) and first.dtype == np.uint8 and (first != second).any()
    own = (second == (0x08, 0x51, 0x9C)).all(-1).sum()
    assert own > 100 and not (first == (0x08, 0x51, 0x9C)).all(-1).any(), "own lots are dark, and there were none"
    envs = make_vec(config("market_making"), 1, render_mode="rgb_array")
    with pytest.raises(gymnasium.error.ResetNeeded):
        envs.render()
    envs.reset(seed=3)
    envs.step([[1, 1]])
    assert np.array_equal(envs.render()[0], second)


def test_wrappers_of_single_environments(config):
    env = made(config, "execution", max_episode_steps=3)
    env = wrappers.RecordEpisodeStatistics(
        wrappers.ClipAction(wrappers.RescaleAction(env, np.float32(-1), np.float32(1)))
    )
    env = wrappers.NormalizeReward(wrappers.NormalizeObservation(wrappers.FlattenObservation(env)))
    rows = end_of(wrappers.TransformObservation(env, lambda x: x / 2, env.observation_space), 1)
    assert len(rows) == 4 and rows[-1][3] and rows[-1][4]["episode"]["l"] == 3
    assert rows[-1][4]["episode"]["r"] == pytest.approx(rows[-1][4]["episode_return"], rel=1e-5)
    env = wrappers.Autoreset(made(config, "market_making"))
    env.reset(seed=0)
    assert [env.step([0, 0])[2] for _ in range(6)] == [False, False, False, True, False, False]


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_wrappers_of_vectors(config, mode):
    w = vector_wrappers
    envs = w.RecordEpisodeStatistics(make_vec(config("execution"), N, autoreset_mode=mode))
    envs = w.NormalizeReward(w.ClipAction(w.RescaleAction(envs, np.float32(-1), np.float32(1))))
    if mode == "NextStep":  # Gymnasium has none of observations for the other
        envs = w.TransformObservation(w.NormalizeObservation(w.FlattenObservation(envs)), lambda x: x / 2)
        envs = w.DtypeObservation(envs, np.float32)
    envs = w.DictInfoToList(envs)
    observation, _ = envs.reset(seed=0)
    ends = []
    for _ in range(9):
        assert observation.shape == envs.observation_space.shape and np.isfinite(observation).all()
        observation, _, terminated, truncated, infos = envs.step(envs.action_space.sample())
        for info in np.array(infos)[terminated | truncated]:
            done = info["final_info"] if mode == "SameStep" else info
            ends.append((done["episode_length"], info["episode"]["l"], done["episode_return"] - info["episode"]["r"]))
    assert len(ends) >= N and all(a == b and abs(c) < 1e-4 for a, b, c in ends)


def test_a_loop_in_the_manner_of_cleanrl(config):
    """One file, single environments side by side, returns read off the infos: in both forms that such loops read."""

    def thunk():
        return wrappers.RecordEpisodeStatistics(made(config, "execution"))

    for mode in gymnasium.vector.AutoresetMode.NEXT_STEP, gymnasium.vector.AutoresetMode.SAME_STEP:
        envs = gymnasium.vector.SyncVectorEnv([thunk] * 2, autoreset_mode=mode)
        observations, returns, total = np.zeros((12, *envs.observation_space.shape), np.float32), [], np.zeros(2)
        following, _ = envs.reset(seed=1)
        envs.action_space.seed(1)
        told = []
        for step in range(12):
            observations[step] = following
            following, reward, terminations, truncations, infos = envs.step(envs.action_space.sample())
            total += reward
            if (terminations | truncations).any():
                about = infos.get("final_info", infos)
                returns += about["episode"]["r"][about["_episode"]].tolist()
                told += total[about["_episode"]].tolist()
                total[about["_episode"]] = 0
        assert len(returns) >= 4 and np.allclose(returns, told, atol=1e-5) and np.isfinite(observations).all()
        envs.close()


def pickled(env):
    return pickle.loads(pickle.dumps(env))


def cloudpickled(env):
    return pickle.loads(cloudpickle.dumps(env))


def rest(env, steps):
    env.action_space.seed(3)
    return [np.asarray(x).tolist() for _ in range(steps) for x in env.step(env.action_space.sample())[:4]]


@pytest.mark.parametrize("again", [pickled, cloudpickled, copy.deepcopy], ids=lambda f: f.__name__)
def test_copies_go_on_to_the_same_bits(config, again):
    for kind in KINDS:
        env = wrappers.RecordEpisodeStatistics(made(config, kind, render_mode="ansi"))
        rest_of_it = (env.reset(seed=2), rest(env, 2))
        twin = again(env)
        assert rest(twin, 2) == rest(env, 2) and rest_of_it and twin.render() == env.render()
        assert np.array_equal(twin.reset()[0], env.reset()[0]), "the generator was copied too"
        assert twin.unwrapped._batch.programs is env.unwrapped._batch.programs
    for mode in ("SameStep", "NextStep"):
        envs = vector_wrappers.RecordEpisodeStatistics(make_vec(config("execution"), N, autoreset_mode=mode))
        envs.reset(seed=[1, None])
        rest(envs, 4)  # the ends of episodes
        twin = again(envs)
        assert rest(twin, 6) == rest(envs, 6) and twin.metadata["autoreset_mode"] is envs.metadata["autoreset_mode"]
    envs = vector("observed", N)
    assert np.array_equal(again(envs).reset(seed=1)[0], envs.reset(seed=1)[0]), "one that was not begun"


def test_one_configuration_is_compiled_once_and_let_go():
    mine = EnvConfig(task=ExecutionConfig(lots=11), flow=PoissonConfig(warm_up_s=0))
    first, second = LobjaxEnv(mine), LobjaxEnv(copy.deepcopy(mine))
    assert first._batch.programs is second._batch.programs is not LobjaxEnv(EnvConfig())._batch.programs
    gone = weakref.ref(first._batch.programs)
    del first, second
    gc.collect()
    assert gone() is None and mine not in [key[0] for key in shared._BY_CONFIG]


def test_neither_steps_nor_other_environments_compile_again():
    envs = [single("observed") for _ in range(3)]
    programs, counts = envs[0]._batch.programs, []
    for seed in range(3):
        for env in envs:
            env.reset(seed=seed)
            env.step([seed % 2])
            env.reset()
        counts.append([f._cache_size() for f in (programs.keys, programs.begin, programs.step)])
    assert counts == counts[:1] * 3


def test_a_record_that_changed_is_read_again(tmp_path):
    write_npz(tmp_path / "day.npz", day())
    flow = RecordedConfig(path=tmp_path / "day.npz", from_time="09:30", until_time="09:36:39")
    mine = EnvConfig(task=SnapshotConfig(decisions=4), flow=flow, market=MarketConfig(levels=LEVELS))
    first, same = LobjaxEnv(mine), LobjaxEnv(mine)
    write_npz(tmp_path / "day.npz", day(count=399, seed=6))
    assert first.env is same.env is not LobjaxEnv(mine).env


def test_environments_in_processes_of_their_own(config):
    mine = config("snapshot")  # the quickest to compile
    both = {"id": "lobjax/Snapshot-v0", "num_envs": 1, "config": mine}
    here = gymnasium.make_vec(vectorization_mode="sync", **both)
    envs = gymnasium.make_vec(vectorization_mode="async", vector_kwargs={"context": "spawn"}, **both)
    try:
        assert np.array_equal(envs.reset(seed=[3])[0], here.reset(seed=[3])[0])
        for _ in range(5):
            theirs, ours = envs.step([[10]]), here.step([[10]])
            for a, b in zip(theirs[:4], ours[:4], strict=True):
                assert np.array_equal(a, b)
    finally:
        envs.close()


@pytest.mark.filterwarnings("ignore")  # of JAX, that this is a fork; and Gymnasium's log
def test_forked_processes_say_that_they_cannot_run(config):
    made(config, "snapshot").reset(seed=0)
    mine = replace(config("snapshot"), task=SnapshotConfig(decisions=3))  # that nobody plays here
    how = {"vectorization_mode": "async", "vector_kwargs": {"context": "fork"}}
    envs = gymnasium.make_vec("lobjax/Snapshot-v0", 2, **how, config=mine)
    with pytest.raises(InputError, match="start new processes with spawn") as caught:
        envs.reset(seed=0)
    assert "\n" not in str(caught.value)
    envs.close(terminate=True)
