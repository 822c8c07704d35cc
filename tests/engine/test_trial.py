"""The trials that a GPU kernel must pass before `auto` takes it: they pass where it is right, and say so where it is not."""

import jax
import pytest

from lobjax.engine import ENGINES
from lobjax.engine.kernel import call, trial
from lobjax.engine.kernel.step import FlatOutcome
from lobjax.market.engines import ENGINES as MARKET_ENGINES
from lobjax.market.kernel import loop
from lobjax.market.kernel.trial import market_kernel_equals_reference

TRIALS = [trial.kernel_equals_reference, market_kernel_equals_reference]


@pytest.mark.parametrize("try_it", TRIALS)
def test_the_kernel_passes_here_even_while_a_program_is_traced(try_it):
    jax.jit(lambda x: x + int(trial.tried("kernel", try_it)))(1)
    assert trial.tried("kernel", try_it)


@pytest.mark.parametrize("try_it", TRIALS)
def test_a_kernel_that_is_wrong_is_passed_over_with_a_warning(try_it, monkeypatch):
    right = call.step

    def wrong(sides, message, carry, on_fill) -> tuple:
        sides, outcome, carry = right(sides, message, carry, on_fill)
        asks = sides.asks._replace(size=sides.asks.size + (message.kind == 7))
        return sides._replace(asks=asks), FlatOutcome(*outcome), carry

    monkeypatch.setattr(call, "step", wrong)
    monkeypatch.setattr(loop, "step", wrong)
    jax.clear_caches()
    with pytest.warns(RuntimeWarning, match="engine k is passed over on this machine: it differs from the reference"):
        assert not trial.tried("engine k", try_it)
    jax.clear_caches()


def test_a_kernel_that_does_not_compile_is_passed_over_with_the_compilers_word():
    def fails():
        raise RuntimeError("ptxas: unknown architecture\nmore")

    with pytest.warns(RuntimeWarning, match="unknown architecture; please report it"):
        assert not trial.tried("engine k", fails)


def test_auto_does_not_take_an_interpreter():
    assert ENGINES["kernel"]().suits() is None and MARKET_ENGINES["kernel"]().suits() is None
