"""What the fuzz tests of all readers share: damaged bytes, edited documents, hostile arrays, and what a reader may do with them.

A reader gives what it read, or raises InputError of one line; within `SECONDS` and `bytes_for(size)` of memory. The examples are the same
in every run. A long run takes more of them, and others: `LOBJAX_FUZZ_EXAMPLES=200 pytest tests/reading` takes 200 times as many.
"""

import json
import os
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from lobjax.errors import InputError

SECONDS = 5.0
TIMES = int(os.environ.get("LOBJAX_FUZZ_EXAMPLES", "1"))
INTEGERS = (
    0,
    1,
    -1,
    2,
    255,
    256,
    65_535,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32 - 1,
    2**32,
    2**53,
    2**63 - 1,
    2**63,
    -(2**63),
    2**64,
    10**40,
)
FLOATS = (0.5, -0.0, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    "",
    "0",
    "-1",
    "1e400",
    "nan",
    "None",
    "../../etc/passwd",
    "/",
    "a\x00b",
    "\ud800",
    "é" * 300,
    "x" * 5000,
    "a\nb",
    "$x_{1$",
    "[red]",
)
DTYPES = (
    "int8",
    "uint8",
    "int16",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "bool",
    "S3",
    "U2",
    "M8[ns]",
    ">i4",
)


def fuzzed(examples: int) -> Callable:
    """Settings of a fuzz test: so many examples, `TIMES` over; without a clock of its own, as a first example may compile."""
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def bytes_for(size: int) -> int:
    """The most memory that reading a file of `size` bytes may take (`lobjax.reading`)."""
    return (64 << 20) + 1200 * size + (32 << 20)


def read_or_refuse(read: Callable[[], Any], *, size: int | None = None, seconds: float = SECONDS) -> Any:
    """What `read` gives, or the InputError that it raised; any other exception passes. Asserts one line, time, and memory for `size`."""
    if size is not None:
        tracemalloc.start()
    begun = time.perf_counter()
    try:
        found = read()
    except InputError as error:
        found = error
        assert "\n" not in str(error) and 10 < len(str(error)) < 2000, str(error)[:3000]
    finally:
        took = time.perf_counter() - begun
        if size is not None:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert took < seconds, f"took {took:.1f} s"
    if size is not None:
        assert peak < bytes_for(size), f"took {peak:,} bytes for a file of {size:,}"
    return found


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with one to three faults: cut, overwritten by bits, bytes, numbers or zeros, with a part doubled, lost or moved."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        stop = min(len(data), at + draw(st.sampled_from((1, 2, 4, 8, 64, 4096))))
        match draw(st.integers(0, 7)):
            case 0:
                del data[at:]
            case 1:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case 2:
                data[at:stop] = (
                    draw(st.binary(min_size=stop - at, max_size=stop - at)) if stop - at <= 64 else bytes(stop - at)
                )
            case 3:
                width = draw(st.sampled_from((2, 4, 8)))
                number = draw(st.sampled_from(INTEGERS)) % (1 << 8 * width)
                data[at : at + width] = number.to_bytes(width, draw(st.sampled_from(("little", "big"))))
            case 4:
                data[at:stop] = data[at:stop] * 2
            case 5:
                del data[at:stop]
            case 6:
                part, to = data[at:stop], draw(st.integers(0, len(data) - 1))
                data[to : to + len(part)] = part
            case 7:
                data += draw(st.binary(max_size=64))
    return bytes(data)


def leaves() -> st.SearchStrategy:
    """Values that stand where another is expected, in JSON or YAML."""
    scalars = st.sampled_from((None, True, False, *INTEGERS, *FLOATS, *TEXTS))
    return (
        scalars
        | st.builds(nested, st.integers(1, 40))
        | st.sampled_from(([], {}, [[]], [1, 2, 3], {"a": 1}, [None], ["x"] * 50))
    )


def nested(depth: int) -> Any:
    """Lists and dictionaries in each other."""
    found: Any = 0
    for at in range(depth):
        found = [found] if at % 2 else {"a": found}
    return found


@st.composite
def edited(draw: st.DrawFn, document: Any) -> Any:
    """A document of dictionaries and lists with one to three values replaced, removed, added or renamed, at any depth."""
    result = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        result = _edit(draw, result)
    return result


def _edit(draw: st.DrawFn, node: Any) -> Any:
    if not isinstance(node, (dict, list)) or not node or draw(st.integers(0, 5)) == 0:
        return draw(leaves())
    if isinstance(node, list):
        at = draw(st.integers(0, len(node) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                return node[:at] + node[at + 1 :]
            case 1:
                return [*node, *node[at:]]
            case _:
                return [*node[:at], _edit(draw, node[at]), *node[at + 1 :]]
    key = draw(st.sampled_from(sorted(node)))
    match draw(st.integers(0, 4)):
        case 0:
            return {name: value for name, value in node.items() if name != key}
        case 1:
            return {**node, draw(st.sampled_from(TEXTS)): draw(leaves())}
        case _:
            return {**node, key: _edit(draw, node[key])}


@st.composite
def spoilt(draw: st.DrawFn, array: np.ndarray) -> np.ndarray:
    """An array with one fault: of another type or shape, shorter, longer, unsorted, or with a value that cannot be."""
    match draw(st.integers(0, 6)):
        case 0:
            with np.errstate(all="ignore"):
                return np.asarray(array).astype(draw(st.sampled_from(DTYPES)))
        case 1:
            return array[: draw(st.integers(0, max(0, len(array) - 1)))] if array.ndim else array[None]
        case 2:
            return np.concatenate([array, array[-1:]]) if array.ndim and len(array) else array[None]
        case 3:
            return draw(
                st.sampled_from(
                    (array[None], array[..., None], array.reshape(-1), np.zeros((0,) * max(array.ndim, 1), array.dtype))
                )
            )
        case 4:
            return array[::-1] if array.ndim else array[None]
        case _:
            result = np.array(array)
            if result.size and result.dtype.kind in "iuf":
                limits = np.iinfo(result.dtype) if result.dtype.kind in "iu" else np.finfo(result.dtype)
                values = [limits.min, limits.max, 0, -1, 1, 7, *(FLOATS[4:] if result.dtype.kind == "f" else ())]
                value = draw(st.sampled_from(values))
                with np.errstate(all="ignore"):
                    result.reshape(-1)[draw(st.integers(0, result.size - 1))] = np.array(value).astype(result.dtype)
            return result
