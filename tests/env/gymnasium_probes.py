"""Probes behind Gymnasium's interfaces. Those of one action space share their compiled programs: they differ in numbers alone."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import jax
import pytest

from lobjax.env.gymnasium import LobjaxEnv, LobjaxVectorEnv, programs
from tests.compiling import quick_jit
from tests.learn.probes import PROBES, ProbeConfig, make


@contextmanager
def compiled_quickly() -> Iterator[None]:
    """What programs are made meanwhile compile as `tests.compiling` says: for comparisons of programs that are compiled alike."""
    with pytest.MonkeyPatch.context() as patch:
        names = {name: getattr(jax, name) for name in ("Array", "dtypes", "random", "tree", "vmap")}
        patch.setattr(programs, "jax", SimpleNamespace(jit=quick_jit, **names))
        yield


@functools.cache
def _programs(simplex):
    with compiled_quickly():
        return programs.programs_of(make(ProbeConfig(probe="simplex" if simplex else "constant")))


def vector(name, n, **keywords):
    """`n` environments, new ones."""
    return LobjaxVectorEnv(_programs(name == "simplex").env, n, PROBES[name], **keywords)


def single(name, **keywords):
    """One environment, a new one."""
    return LobjaxEnv(_programs(name == "simplex").env, params=PROBES[name], **keywords)


@functools.cache
def probe(name, n=16):
    """One for all tests: a reset begins everything anew."""
    return vector(name, n)
