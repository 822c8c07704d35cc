"""`python -m bench train`: whole training steps (play, advantages, gradients, statistics) a second; one record for each cell."""

import sys
import time
from statistics import median
from typing import Any

import jax

from bench import recording, timing
from bench.speed.training.cells import NETS, cell
from bench.speed.training.work import work
from lobjax.errors import InputError, nearest
from lobjax.learn import devices, memory, phases
from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import TrainState, assemble
from lobjax.ranges import whole_number
from lobjax.tasks import make

INCLUDED = "environment, policy, rewards, resets, advantages, all gradient steps, statistics, metrics; not logging and checkpoints"
CHANGE = "lower --envs"


def named_cells(text: str) -> list[tuple[str, int]]:
    found = []
    for part in text.split(","):
        net, colon, messages = part.strip().partition(":")
        if not colon:
            raise InputError(f"--cells {part}: write NET:MESSAGES, as mlp:100")
        if net not in NETS:
            raise InputError(f"--cells {part}: unknown network '{net}'; {nearest(net, NETS)}")
        found.append((net, whole_number(f"--cells {net}", messages, 1, 1 << 20)))
    return found


def cell_config(net: str, messages: int, envs: int, length: int, engine: str, n_devices: int) -> TrainConfig:
    known = ("auto", "host", "xla", "kernel")
    if engine not in known:
        raise InputError(f"--engine {engine}: unknown; {nearest(engine, known)}")
    try:
        config = cell(net, messages, envs, length, engine, n_devices)
    except ValueError as error:
        raise InputError(f"bench train: {error}") from None
    devices.check_devices(n_devices)
    return config


def measure(config: TrainConfig, runs: int, with_phases: bool) -> dict[str, Any]:
    env, n_devices = make(config.env), config.devices
    memory.estimate(config, env).check(f"{config.n_envs:,} environments")
    learner, peak = assemble(config, env), timing.device_peak()
    begun, cached = time.perf_counter(), timing.numba_files()
    start = devices.compile_init(learner.init, jax.random.key(0), env.default_params)
    start_s, numba = time.perf_counter() - begun, timing.numba_files() != cached
    first: TrainState = start(jax.random.key(config.seed), env.default_params)
    sizes = _bytes(first, config.n_envs)
    spent = phases.measure(config, env, first) if with_phases else None
    begun, cached = time.perf_counter(), timing.numba_files()
    state = devices.split(first, n_devices)
    update = devices.compile_update(learner.make_update, state, env.default_params, n_devices)
    seconds, numba_too = time.perf_counter() - begun, timing.numba_files() != cached
    held = [state]

    def turn() -> tuple:
        return held.pop(), env.default_params

    def call(state: Any, constants: Any) -> Any:
        result, report = update(state, constants)
        held.append(result)
        return report

    done = timing.timed(call, turn, runs)
    if wrong := [str(path) for path, ok in jax.tree_util.tree_leaves_with_path(done.result["finite"]) if not ok.all()]:
        raise SystemExit(f"error: training met numbers that are not finite: {wrong[0]}")
    # Of one device's program; over several, it is not asked.
    needed = timing.needed_bytes(update.memory_analysis()) if n_devices == 1 else 0
    return {
        "engine": env.engine.engine,
        "envs": config.n_envs,
        "rollout_length": config.rollout_length,
        "decisions_per_episode": env.decisions,
        "devices": n_devices,
        "included": INCLUDED,
        **recording.rates("steps_per_s", [config.batch_size / s for s in done.seconds]),
        "update_s": recording.rounded(median(done.seconds)),
        "calls_per_run": done.calls,
        "compile_s": round(seconds, 3),
        "compiled_numba": numba or numba_too,
        "start_compile_s": round(start_s, 3),
        **sizes,
        **timing.memory_record(needed, peak),
        "program_bytes_per_env": needed // config.n_envs,
        "episode_return": recording.rounded(float(done.result["scalars"]["episode/return"])),
        **({"phases": _phases(spent), "network": work(config, env, spent.learning)} if spent else {}),
    }


def _bytes(state: TrainState, n_envs: int) -> dict[str, int]:
    """Bytes of state that each environment has, by part, and of what all share."""

    def size(tree: Any) -> int:
        return sum(x.nbytes for x in jax.tree.leaves(tree))

    local = state.local
    return {
        "bytes_per_env": size(local) // n_envs,
        "bytes_per_env_market": size(local.state) // n_envs,
        "bytes_per_env_memory": size(local.carry) // n_envs,
        "shared_bytes": size(state.shared),
    }


def _phases(spent: phases.Phases) -> dict[str, Any]:
    seconds = {f"{name}_s": recording.rounded(value) for name, value in spent._asdict().items()}
    shares = {f"{name}_share": recording.rounded(share, 3) for name, share in phases.shares(spent).items()}
    return (
        seconds
        | {"learning_s": recording.rounded(spent.learning)}
        | shares
        | {"explained": recording.rounded(spent.explained, 3)}
    )


def say(record: dict[str, Any]) -> None:
    print(
        f"{record['net']}, {record['messages_per_step']} messages a step, {record['envs']:,} environments on {record['engine']}: "
        f"{record['steps_per_s']:,} train steps/s ({record['steps_per_s_min']:,} to {record['steps_per_s_max']:,}), "
        f"compiled in {record['compile_s']} s, {record['bytes_per_env']:,} bytes an environment",
        file=sys.stderr,
    )
