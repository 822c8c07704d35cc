"""Which layers a network is made of: Transformer Engine's where it is usable, plain torch with the same names and shapes elsewhere."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Literal, NamedTuple

import torch
from torch import nn

from lobjax.errors import InputError
from lobjax.nets.fp8 import MULTIPLE
from lobjax.nets.precision import Precision, in_fp8
from lobjax.torch_port import fp8, layers

Source = Literal["auto", "plain", "transformer_engine"]


class Layers(NamedTuple):
    """Constructors, the context that their forward runs in, and one line that says what they are."""

    linear: Callable[[int, int], nn.Module]
    layer_norm_linear: Callable[[int, int], nn.Module]
    layer_norm_mlp: Callable[[int, int], nn.Module]
    context: Callable[[str], AbstractContextManager[Any]]  # by kind of device
    said: str


def choose_layers(
    precision: Precision, epsilon: float, *, recipe: fp8.Recipe = "current", source: Source = "auto"
) -> Layers:
    """The layers for a precision. "auto" takes Transformer Engine where it is usable; InputError where it is asked for and is not.

    "fp8" without Transformer Engine is computed: the same codes and scales, products in single precision, slower than not to quantise.
    """
    missing = why_no_transformer_engine()
    if source == "transformer_engine" and missing:
        raise InputError(f"transformer_engine: {missing}")
    if source != "plain" and not missing:
        return _transformer_engine(precision, epsilon, recipe)
    return _plain(precision, epsilon, recipe, missing if source == "auto" else "as asked")


def why_no_transformer_engine() -> str | None:
    """What keeps Transformer Engine from being used, and the fix; None where it is usable."""
    if not torch.cuda.is_available():
        return "needs an NVIDIA GPU, and torch finds none"
    try:
        import transformer_engine.pytorch  # noqa: F401 # pyright: ignore[reportMissingImports]
    except (ImportError, OSError, AssertionError) as error:  # libraries that do not load, versions that do not fit
        return f"cannot be imported ({' '.join(str(error).split())[:120]}); pip install -e '.[te]'"
    return None


def check_real_fp8() -> None:
    """InputError unless FP8 products run on this machine's hardware."""
    if missing := why_no_transformer_engine():
        raise InputError(
            f"precision fp8: runs in Transformer Engine, which {missing}; "
            "choose bfloat16, or --computed-fp8 to have its arithmetic computed in float32"
        )
    import transformer_engine.pytorch as te  # pyright: ignore[reportMissingImports]

    usable, why = te.is_fp8_available(return_reason=True)
    if not usable:
        raise InputError(f"precision fp8: {why}; choose bfloat16")


def check_multiples(**sizes: int) -> None:
    """InputError unless every size is one that FP8 products take."""
    for name, size in sizes.items():
        if size % MULTIPLE:
            raise InputError(f"precision fp8: {name} is {size}; FP8 products need a multiple of {MULTIPLE}")


def activations(precision: Precision) -> torch.dtype:
    """The type of activations between two products, as `lobjax.nets.precision.compute_type`."""
    return torch.float32 if precision in ("float32", "fp8_float32") else torch.bfloat16


def _autocast(precision: Precision, kind: str) -> AbstractContextManager[Any]:
    # The cache of cast weights would outlive a change of them under no_grad.
    return torch.autocast(kind, torch.bfloat16, enabled=activations(precision) == torch.bfloat16, cache_enabled=False)


def _plain(precision: Precision, epsilon: float, recipe: fp8.Recipe, why: str | None) -> Layers:
    used = recipe if in_fp8(precision) else None
    computed = f", FP8 computed in float32 ({recipe} scaling)" if used else ""
    return Layers(
        linear=lambda i, o: layers.Linear(i, o, used),
        layer_norm_linear=lambda i, o: layers.LayerNormLinear(i, o, epsilon, used),
        layer_norm_mlp=lambda w, h: layers.LayerNormMLP(w, h, epsilon, used),
        context=lambda kind: _autocast(precision, kind),
        said=f"layers: torch {torch.__version__}, {precision}{computed}; Transformer Engine: {why}",
    )


def _transformer_engine(precision: Precision, epsilon: float, recipe: fp8.Recipe) -> Layers:
    import transformer_engine  # pyright: ignore[reportMissingImports]
    import transformer_engine.pytorch as te  # pyright: ignore[reportMissingImports]
    from transformer_engine.common import recipe as recipes  # pyright: ignore[reportMissingImports]

    # Sums of products in full single precision, as the gradients' are by default.
    exact = {"fp8_gemm_fprop": recipes.MMParams(use_split_accumulator=True)}
    scaling = {
        "current": lambda: recipes.Float8CurrentScaling(fp8_format=recipes.Format.HYBRID, **exact),
        "delayed": lambda: recipes.DelayedScaling(
            fp8_format=recipes.Format.HYBRID, amax_history_len=16, amax_compute_algo="max"
        ),
    }[recipe]()

    def context(kind: str) -> AbstractContextManager[Any]:
        stack = ExitStack()
        stack.enter_context(_autocast(precision, kind))
        stack.enter_context(te.autocast(enabled=in_fp8(precision), recipe=scaling))
        return stack

    said = f", {recipe} scaling" if in_fp8(precision) else ""
    return Layers(
        linear=lambda i, o: te.Linear(i, o, params_dtype=torch.float32),
        layer_norm_linear=lambda i, o: te.LayerNormLinear(i, o, eps=epsilon, bias=False, params_dtype=torch.float32),
        layer_norm_mlp=lambda w, h: te.LayerNormMLP(w, h, eps=epsilon, activation="gelu", params_dtype=torch.float32),
        context=context,
        said=f"layers: Transformer Engine {transformer_engine.__version__}, torch {torch.__version__}, {precision}{said}",
    )
