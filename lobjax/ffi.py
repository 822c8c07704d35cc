"""Numba functions as XLA custom calls on the CPU: no Python, no copy and no GIL between a compiled program and them.

A handler of XLA's typed FFI is a C function of one argument, the call frame; Numba's `cfunc` makes one. What is read here of the frame
and its buffers is laid out in `c_api.h` under `jax.ffi.include_dir()`, in words of 64 bits. `jax.pure_callback` would not do: with
several devices and large arguments it can wait for the thread pool that waits for it.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

import ctypes
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import numba
from numba import njit, types
from numba.core.ccallback import CFunc
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from lobjax import caching
from lobjax.errors import InputError

caching.say()

KNOWN_VERSIONS = ((0, 3), (0, 4))  # major, minor; of jax 0.10.2 and 0.11.2
SAFE_LAYERS = ("omp", "tbb")  # `workqueue` aborts when two devices call at once

# Words of XLA_FFI_CallFrame, of the XLA_FFI_Args and XLA_FFI_Rets in it, and of XLA_FFI_Buffer.
_EXTENSION, _ARGS_COUNT, _ARGS, _RETS_COUNT, _RETS, _ATTRS = 1, 7, 9, 12, 14, 20
_DATA, _RANK, _DIMS = 3, 4, 5
_METADATA_EXTENSION = 1

_KEEP_ALIVE: list[CFunc] = []  # handlers, which XLA calls by address

# No reference counts: compiled code here neither allocates nor owns what it looks at. Not cached by itself either: Numba's cache would
# not notice an edit in a file that this code is compiled into, so handlers are cached whole, under a `stamp` of all their sources.
# Bare: nothing here is called from Python (which would crash); the ways in from there took seconds to compile.
_bare: Any = partial(njit, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
inner = _bare(_nrt=False)
# For what runs once a message: a call hands over every field of every array by itself, which costs more than most of the work.
inlined = _bare(_nrt=False, forceinline=True)
outer = _bare()  # may allocate: once a thread and call
# As `inner`, but copied into its callers before types are found: without reference counts a function must not return an array of its own.
inline = _bare(_nrt=False, inline="always")


def _view(dtype: types.Type, rank: int):
    """Typing and code of an intrinsic: the C-ordered array at an address, not owned by anybody; from the address and its shape."""
    array = types.Array(dtype, rank, "C")

    def codegen(context, builder, signature, args):
        address, shape = args[0], args[1:]
        itemsize = context.get_constant(types.intp, dtype.bitwidth // 8)
        strides = [itemsize]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        view = context.make_array(array)(context, builder)
        populate_array(view, builder.inttoptr(address, view.data.type), shape, strides, itemsize, meminfo=None)
        return view._getvalue()

    return array(types.int64, *[types.int64] * rank), codegen


@intrinsic
def integers(typing_context, address, length):
    """The int32 `[length]` at an address."""
    return _view(types.int32, 1)


@intrinsic
def naturals(typing_context, address, length):
    """The uint32 `[length]` at an address."""
    return _view(types.uint32, 1)


@intrinsic
def integer_rows(typing_context, address, rows, length):
    """The int32 `[rows, length]` at an address."""
    return _view(types.int32, 2)


@intrinsic
def integer_blocks(typing_context, address, blocks, rows, length):
    """The int32 `[blocks, rows, length]` at an address."""
    return _view(types.int32, 3)


@intrinsic
def words(typing_context, address, length):
    """The 64-bit words `[length]` at an address."""
    return _view(types.int64, 1)


@inline
def arguments(frame):
    """Addresses of the argument buffers of a call."""
    frame = words(frame, _ATTRS + 1)
    return words(frame[_ARGS], frame[_ARGS_COUNT])


@inline
def results(frame):
    """Addresses of the result buffers of a call."""
    frame = words(frame, _ATTRS + 1)
    return words(frame[_RETS], frame[_RETS_COUNT])


@inner
def attribute(frame, index):
    """An attribute of a call, an int64 scalar; attributes stand in the order of their names."""
    scalar = words(words(words(frame, _ATTRS + 1)[_ATTRS], index + 1)[index], 2)
    return words(scalar[1], 1)[0]


@inner
def data(buffer):
    """Where the numbers of a buffer begin."""
    return words(buffer, _DIMS + 1)[_DATA]


@inline
def dims(buffer):
    """The shape of a buffer, int64 `[rank]`."""
    buffer = words(buffer, _DIMS + 1)
    return words(buffer[_DIMS], buffer[_RANK])


@inner
def answers_metadata(frame, major, minor):
    """At registration XLA asks for the version a handler was written for: answer, and tell whether that was the call."""
    extension = words(frame, _ATTRS + 1)[_EXTENSION]
    while (
        extension != 0
    ):  # {size, type, next, metadata}; the metadata: {size, version {size, extension, major and minor}, traits}
        fields = words(extension, 4)
        if (fields[1] & 0xFFFFFFFF) == _METADATA_EXTENSION:
            words(fields[3], 4)[3] = major | (minor << 32)
            return True
        extension = fields[2]
    return False


@cache
def api_version() -> tuple[int, int] | None:
    """Major and minor version of the FFI that this jaxlib was built with, from its header; None if it has none."""
    header = Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h"
    if not header.is_file():
        return None
    found = dict(re.findall(r"#define XLA_FFI_API_(MAJOR|MINOR) (\d+)", header.read_text(encoding="utf-8")))
    return (int(found["MAJOR"]), int(found["MINOR"])) if len(found) == 2 else None


@cache
def threading_layer() -> str:
    """Start Numba's threads, which must be done from Python, and name their layer; "none" if Numba finds none."""
    try:
        numba.get_num_threads()
    except ValueError:  # Numba: no threading layer could be loaded
        return "none"
    return numba.threading_layer()


def threads() -> int:
    """How many threads a handler runs on that is traced now."""
    return 1 if threading_layer() == "none" else numba.get_num_threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """Handlers traced meanwhile run on one thread each, for those who have several programs under way at once."""
    before = threads()
    if before > 1:
        numba.set_num_threads(1)
    try:
        yield
    finally:
        if before > 1:
            numba.set_num_threads(before)


@cache
def refusal() -> str | None:
    """Why Numba handlers cannot run here and what to do, in words that end an error's line; None if they can."""
    if jax.default_backend() != "cpu":
        return f"the default backend is {jax.default_backend()}; use the engine xla, or set JAX_PLATFORMS=cpu"
    if numba.config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set; use the engine xla, or unset it"
    if api_version() not in KNOWN_VERSIONS:
        return f"jaxlib's FFI has version {api_version()}, known are {KNOWN_VERSIONS}; use the engine xla"
    if threading_layer() not in SAFE_LAYERS:
        return f"Numba's threading layer is {threading_layer()}; install libgomp and set NUMBA_THREADING_LAYER=omp"
    return None


def stamp(sources: Iterable[Path]) -> str:
    """A digest of source files, to be a closure variable of a cached handler: an edit in any of them then compiles it anew."""
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


@cache
def register(name: str, compile_handler: Callable[[tuple[int, int]], CFunc]) -> None:
    """Register a handler, compiled for this FFI's version, as the target `name` on the CPU; once a process. InputError if it cannot run."""
    version, reason = api_version(), refusal()
    if reason or version is None:
        raise InputError(f"engine: host cannot run, as {reason}")
    threading_layer()  # a handler from Numba's cache does not start the threads that it runs on
    handler = compile_handler(version)
    _KEEP_ALIVE.append(handler)
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    jax.ffi.register_ffi_target(name, new_capsule(handler.address, None, None), platform="cpu")
