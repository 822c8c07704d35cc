"""What numbers depend on beside a configuration: settings of JAX and of the system. Recorded with results, compared when work goes on.

Some change what is computed: random streams, the width of numbers, the precision of products. Work that goes on must have those as it
began. Others (versions, devices, cores, compiler flags) move rounding alone, and may have to change, as on another machine: that is said.
"""

import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

import jax

from lobjax.errors import InputError

# What must agree, and JAX's default, which is taken where an older version recorded nothing.
DEFAULTS: dict[str, Any] = {
    "jax_enable_x64": False,
    "jax_default_matmul_precision": None,
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_random_seed_offset": 0,
    "jax_high_dynamic_range_gumbel": False,
    "jax_softmax_custom_jvp": False,
    "jax_allow_f16_reductions": True,
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    "jax_optimization_level": "UNKNOWN",
    "jax_exec_time_optimization_effort": 0.0,
    "NVIDIA_TF32_OVERRIDE": "",
}
# What changes rounding at most, or only whether a fault is told.
_ALSO = (
    "jax_numpy_rank_promotion", "jax_numpy_dtype_promotion", "jax_debug_nans", "jax_debug_infs", "jax_debug_key_reuse", "XLA_FLAGS",
    "LIBTPU_INIT_ARGS",
)  # fmt: skip
_TOLD = ("jax", "jaxlib", "flax", "optax", "numpy", "numba", "torch")  # versions


def settings() -> dict[str, Any]:
    """The settings of this process that can change a result, as plain values for JSON, by JAX's or the variable's name."""
    return {name: _value(name) for name in (*DEFAULTS, *_ALSO)}


def devices() -> dict[str, Any]:
    """The devices that JAX uses, of all processes, and the cores of this one (XLA's sums on a CPU depend on them)."""
    found = jax.devices()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "kind": found[0].device_kind, "platform": found[0].platform, "count": len(found), "processes": jax.process_count(), "cores": cores,
    }  # fmt: skip


def that_must_agree(recorded: Any, where: Any, defaults: Mapping[str, Any] = DEFAULTS) -> dict[str, Any]:
    """Those of recorded settings, with defaults for what is not recorded (`recorded` None: nothing is)."""
    if not isinstance(recorded, Mapping | None):
        raise InputError(f"{where}: its settings are damaged, not a mapping; start again")
    return {name: (recorded or {}).get(name, default) for name, default in defaults.items()}


def check_same(
    recorded: Any, where: Any, now: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] = DEFAULTS
) -> None:
    """InputError that names the first setting which differs from what was recorded at `where`, both values, and what to do.

    `now`: this process's settings, if not `settings()`; `defaults`: those that must agree.
    """
    now = settings() if now is None else now
    for name, was in that_must_agree(recorded, where, defaults).items():
        if was != now[name]:
            whence = "" if name in (recorded or {}) else ", the default, as it is not recorded"
            raise InputError(
                f"{where}: made with {name} {_shown(was)}{whence}, and here it is {_shown(now[name])}; {_advice(name, was)}, "
                "or start anew in another folder"
            )


def what_changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What else differs between two stamps (`lobjax.results.stamp`), in words; what is not recorded does not."""
    pairs = [(name, _part(then, "versions", name), _part(now, "versions", name)) for name in _TOLD]
    pairs += [
        (f"{name} of devices", _part(then, "device", name), _part(now, "device", name)) for name in ("kind", "count")
    ]
    pairs += [("cores", _part(then, "device", "cores"), _part(now, "device", "cores"))]
    pairs += [
        (name, _part(then, "settings", name), _part(now, "settings", name))
        for name in ("XLA_FLAGS", "LIBTPU_INIT_ARGS")
    ]
    return [
        f"{name} was {_shown(was)}, is {_shown(value)}"
        for name, was, value in pairs
        if was is not None and value is not None and was != value
    ]


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Variables that give another process these settings, where they are not the defaults."""
    also = {name: values[name] for name in _ALSO if name.isupper() and values.get(name)}
    return {name.upper(): str(values[name]) for name in DEFAULTS if values[name] != DEFAULTS[name]} | also


def _value(name: str) -> Any:
    if name.isupper():
        return " ".join(os.environ.get(name, "").split())
    value = getattr(jax.config, name, DEFAULTS.get(name))
    if isinstance(value, Enum):
        value = value.value if isinstance(value.value, str) else value.name
    return value if isinstance(value, bool | int | float | None) else str(value)


def _part(stamp: Mapping[str, Any], part: str, name: str) -> Any:
    found = stamp.get(part)
    return found.get(name) if isinstance(found, Mapping) else None


def _shown(value: Any) -> str:
    return repr(value)[:200] if isinstance(value, str) else str(value)[:200]


def _advice(name: str, was: Any) -> str:
    if was is None or was == "":
        return f"unset {name.upper()}"
    return f"set {name.upper()}={_shown(was)}" if name.startswith("jax_") else f"set {name} so"
