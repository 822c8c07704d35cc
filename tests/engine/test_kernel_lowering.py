"""What can be known of the GPU kernel without a GPU: it lowers for CUDA through Triton, and its code is free of a known miscompile."""

import contextlib
import re
from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from lobjax.book import empty_book
from lobjax.engine import kernel
from lobjax.engine.kernel.book import from_book
from lobjax.types import Message

BOOKS, MESSAGES = 1024, 100
# From jax 0.11 on; the kernel stays until the successor has been tried on a GPU.
pytestmark = pytest.mark.filterwarnings("ignore:The Pallas Triton backend is deprecated")


@contextlib.contextmanager
def pretended_gpu() -> Iterator[None]:
    """From 0.11 on jax lowers for a certain GPU, which need not be there; before, for none in particular."""
    if jax.__version_info__ < (0, 11):
        yield
        return
    from jax.sharding import AbstractDevice, AbstractMesh

    device = AbstractDevice(device_kind="NVIDIA H200", num_cores=None, platform="gpu")
    with jax.sharding.use_abstract_mesh(AbstractMesh((1,), ("_",), abstract_device=device)):
        yield


def lower(function: Callable, *shapes) -> str:
    with pretended_gpu():
        return jax.jit(function).trace(*shapes).lower(lowering_platforms=("cuda",)).as_text()


def integers(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.int32)


def lower_kernel(capacity: int, fill_rows: int) -> str:
    book = jax.eval_shape(lambda: from_book(empty_book(capacity)))
    books = jax.tree.map(lambda x: integers(BOOKS, *x.shape), book)
    messages = Message(*[integers(BOOKS, MESSAGES)] * len(Message._fields))
    return lower(jax.vmap(partial(kernel.replay, fill_rows=fill_rows, interpret=False)), books, messages)


def narrow_selects(code: str) -> list[str]:
    """Lines of Triton IR that select between bits: what becomes of `where(scalar, 5, 3)`, whatever the numbers.

    The kernel selects between no bits of its own. The type of the result stands last, before the name of the operation in Python;
    code that is broken besides is printed in the generic form, `"arith.select"(...) : (...) -> i1`.
    """
    return re.findall(r"arith\.select\b.*[ ,](?:i1|tensor<\w+xi1>) *(?=\"\w|$)", code, re.MULTILINE)


@pytest.mark.parametrize("fill_rows", (0, MESSAGES))
@pytest.mark.parametrize("capacity", (8, 64, 100, 512))
def test_lowers_for_cuda_through_triton(capacity: int, fill_rows: int):
    assert re.search(r"xla\.gpu\.triton|triton_kernel_call", lower_kernel(capacity, fill_rows))


def triton_code(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture, run: Callable[[], str]) -> str:
    monkeypatch.setattr(pl, "pallas_call", partial(pl.pallas_call, debug=True))
    run()
    code = capfd.readouterr().out
    assert "tt.func" in code
    return code


@pytest.mark.parametrize("fill_rows", (0, MESSAGES))
def test_code_has_no_narrowed_select(fill_rows: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    code = triton_code(monkeypatch, capfd, lambda: lower_kernel(64, fill_rows))
    assert code.count("arith.select") > 20
    assert narrow_selects(code) == []


def test_the_miscompile_would_be_found(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    def body(x, out):
        out[0] = jnp.where(x[0] > 2, 5, 3)

    def one(x: jax.Array) -> jax.Array:
        parameters = triton.CompilerParams(num_warps=1, num_stages=1)
        return pl.pallas_call(body, out_shape=integers(2), compiler_params=parameters)(x)

    code = triton_code(monkeypatch, capfd, lambda: lower(one, integers(2)))
    assert narrow_selects(code)
