"""Handlers: whether they can run here, on how many threads, under which digest Numba keeps them, and how XLA comes to know them."""

# Numba hides what it offers from type checkers.
# pyright: reportAttributeAccessIssue=false, reportPrivateImportUsage=false

import ctypes
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import jax
import numba
from numba.core.ccallback import CFunc

from lobjax import caching
from lobjax.errors import InputError

caching.say()

KNOWN_VERSIONS = ((0, 3), (0, 4))  # major, minor; of jax 0.10.2 and 0.11.2
SAFE_LAYERS = ("omp", "tbb")  # `workqueue` aborts when two devices call at once

_KEEP_ALIVE: list[CFunc] = []  # handlers, which XLA calls by address


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


def stamp(patterns: Iterable[str]) -> str:
    """A digest of source files, to be a closure variable of a cached handler: an edit in any of them then compiles it anew.

    patterns: of paths below the package, "reference/*.py". ValueError where one matches no file.
    """
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for pattern in patterns:
        found = sorted(root.glob(pattern))
        if not found:
            raise ValueError(f"no source matches '{pattern}'")
        for source in found:
            digest.update(source.relative_to(root).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()


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
