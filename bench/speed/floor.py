"""How fast a measurement could be at best: bytes against copy bandwidth, instructions against the rate of issue, and the distance."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.recording import cores, is_uncommitted, rounded
from bench.shapes import KernelRecord
from lobjax.engine.kernel.book import MAX_CAPACITY, slots_of
from lobjax.errors import InputError
from lobjax.reading import exists, read_lines
from lobjax.schema import as_shape


class Limits(NamedTuple):
    """What a device can do at most."""

    copy_bytes_per_s: float  # read and written bytes together
    source: str
    warp_instructions_per_s: float | None = None


# Known devices, by a part of their name. H200: 132 multiprocessors, 4 warp instructions a cycle each, 1.98 GHz.
KNOWN = {"H200": Limits(4.3e12, "measured elsewhere on this kind of device", 132 * 4 * 1.98e9)}
_ANEW = "not JSON lines of `bench kernel-compile`, write it anew"
_BLOCK_BYTES = 1 << 26
_TRIES = 5


@cache
def limits() -> Limits:
    """Of the default device: known, or measured by copying."""
    device = jax.local_devices()[0]
    for name, known in KNOWN.items():
        if name in device.device_kind:
            return known
    rate = _host_copy() if device.platform == "cpu" else _device_copy()
    return Limits(rate, "measured by copying")


def floor(
    bytes_each: float, rate: float, *, instructions_each: float | None = None, unit: str = "message", also: str = ""
) -> dict[str, Any]:
    """The record's part on the floor. bytes_each, instructions_each: the least for one `unit`; rate: the measured units a second."""
    known = limits()
    bounds = {"bytes": known.copy_bytes_per_s / bytes_each}
    if instructions_each and known.warp_instructions_per_s:
        bounds["instructions"] = known.warp_instructions_per_s / instructions_each
    limit = min(bounds, key=bounds.__getitem__)
    return {
        "limit": limit,
        f"bytes_per_{unit}": rounded(bytes_each),
        "copy_bytes_per_s": rounded(known.copy_bytes_per_s),
        "copy_bytes_per_s_from": known.source,
        f"instructions_per_{unit}": instructions_each and rounded(instructions_each),
        "instructions_from": also or None,
        "warp_instructions_per_s": known.warp_instructions_per_s and rounded(known.warp_instructions_per_s),
        f"{unit}s_per_s": rounded(bounds[limit]),
        "distance": rounded(bounds[limit] / rate, 3),  # how many times slower than the floor
    }


def instructions(path: Path | None, kernel: str, capacity: int, stream: str = "") -> tuple[float | None, str]:
    """Instructions a message of a kernel at a capacity, from records of `bench kernel-compile`, and on what they were counted; or None.

    kernel: book (without its log), market_poisson or market_recorded; `stream` is taken where the record has counted it by itself.
    """
    if path is None:
        return None, ""
    if not exists(path):
        raise InputError(f"--kernel-record {path}: no such file; write it with `python -m bench kernel-compile`")
    slots = slots_of(capacity)
    for number, found in read_lines(path, advice=_ANEW):
        record = as_shape(KernelRecord, found, f"--kernel-record {path}, line {number}", _ANEW)
        if not 1 <= record["capacity"] <= MAX_CAPACITY:
            raise InputError(f"--kernel-record {path}, line {number}: capacity {record['capacity']}; {_ANEW}")
        if record["kernel"] == kernel and not record["log"] and slots_of(record["capacity"]) == slots:
            own = found.get(f"instructions_per_message_{stream}")
            counted = own or record["instructions_per_message"]
            if type(counted) not in (int, float) or not 0 < counted < 1e12:
                raise InputError(f"--kernel-record {path}, line {number}: not a number of instructions; {_ANEW}")
            where = f"`bench kernel-compile`, {f'stream {stream}' if own else 'random streams'}"
            changed = ", on a tree that no commit holds" if is_uncommitted(str(found.get("commit", "unknown"))) else ""
            return float(counted), where + changed
    return None, ""


def _host_copy() -> float:
    """Bytes read and written a second where every core copies blocks of its own."""
    workers = cores()
    blocks = [(np.ones(_BLOCK_BYTES // 8), np.zeros(_BLOCK_BYTES // 8)) for _ in range(workers)]
    best = 0.0
    with ThreadPoolExecutor(workers) as pool:
        for _ in range(_TRIES):
            begun = time.perf_counter()
            list(pool.map(lambda block: np.copyto(block[1], block[0]), blocks))
            best = max(best, 2 * _BLOCK_BYTES * workers / (time.perf_counter() - begun))
    return best


def _device_copy() -> float:
    words = jax.block_until_ready(jnp.zeros(_BLOCK_BYTES, jnp.int32))  # four blocks
    turn = jax.jit(lambda x: x ^ 1)
    best = 0.0
    for _ in range(_TRIES + 1):
        begun = time.perf_counter()
        jax.block_until_ready(turn(words))
        best = max(best, 2 * words.nbytes / (time.perf_counter() - begun))
    return best
