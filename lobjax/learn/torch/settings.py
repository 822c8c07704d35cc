"""Torch's settings that change numbers, as `lobjax.results.surroundings` has JAX's; and the number of threads, which moves sums."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lobjax.cli import note
from lobjax.results import surroundings

THREADS = "torch.num_threads"
_OWN = {
    "torch.backends.cuda.matmul.fp32_precision": "ieee",  # what set_float32_matmul_precision and allow_tf32 set
    "torch.backends.mkldnn.matmul.fp32_precision": "ieee",
    "torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction": True,
    "torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction": True,
    "torch.backends.mkldnn.enabled": True,
    "torch.deterministic_algorithms": False,
    "torch.default_dtype": "torch.float32",
}
DEFAULTS = surroundings.DEFAULTS | _OWN


def settings() -> dict[str, Any]:
    """JAX's settings and torch's, of this process."""
    backends: Any = torch.backends
    cuda, mkldnn = backends.cuda.matmul, backends.mkldnn
    # By the new names alone: the old ones raise where somebody has set the new ones.
    own = (
        _precision(cuda.fp32_precision), _precision(mkldnn.matmul.fp32_precision), cuda.allow_fp16_reduced_precision_reduction,
        cuda.allow_bf16_reduced_precision_reduction, mkldnn.enabled, torch.are_deterministic_algorithms_enabled(),
        str(torch.get_default_dtype()),
    )  # fmt: skip
    return surroundings.settings() | dict(zip(_OWN, own, strict=True)) | {THREADS: torch.get_num_threads()}


def difference(settings: Sequence[Mapping[str, Any]]) -> str:
    """What to say where the processes of one run differ in a setting; nothing where they do not."""
    for name in DEFAULTS:
        if len(found := {str(theirs[name]) for theirs in settings}) > 1:
            return f"{name}: is {' and '.join(sorted(found))} in processes of one run; start all with the same"
    return ""


def _precision(own: str) -> str:
    """As it takes effect: "none" leaves it to all backends', which by itself is IEEE's."""
    everywhere: Any = getattr(torch.backends, "fp32_precision", "none")
    return next((said for said in (own, everywhere) if said != "none"), "ieee")


def take_threads(recorded: Any, where: Any) -> None:
    """Compute on as many threads as a run began with: with another number its sums would end otherwise in their last bits."""
    threads = recorded.get(THREADS) if isinstance(recorded, dict) else None
    if isinstance(threads, int) and 0 < threads < 1 << 15 and threads != torch.get_num_threads():
        note(f"{where}: begun on {threads} threads; torch takes as many, not {torch.get_num_threads()}")
        torch.set_num_threads(threads)
