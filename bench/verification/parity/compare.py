"""`python -m bench parity`: one network in Flax and in torch, the same numbers in both; how far apart what they compute is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.markdown import markdown_table
from bench.verification.parity.measures import Apart, apart
from lobjax.errors import InputError
from lobjax.memory import Estimate, Part
from lobjax.nets.precision import Precision

# Relative L2 distances that must not be passed; those of FP8 held against float32 are by how much its rounding may cost.
GATES = {
    "fp32_forward": 1e-6,
    "fp32_gradients": 1e-5,
    "fp32_after_100_updates": 1e-4,
    "bf16_forward": 2e-2,
    "bf16_gradients": 8e-2,
    "fp8_cross": 2e-2,
    "fp8_cross_gradients": 0.1,
    "fp8_forward": 0.1,
    "fp8_gradients": 0.25,
}
UPDATES = 100
# How often things are there at once: exact, in Flax and in torch, and for FP8's codes; of weights with gradients, and vectors in float64.
_WEIGHTS, _BATCHES, _RESULTS = 16, 3, 6
SHORT: dict[str, Precision] = {"fp32": "float32", "bf16": "bfloat16", "fp8": "fp8_float32", "fp8_mixed": "fp8"}


class Row(NamedTuple):
    """A line of the table."""

    precision: str
    torch: str  # which layers
    against: str
    what: str
    apart: Apart


def checked_setting(
    layers: int, width: int, heads: int, window: int, towers: Any, envs: int, steps: int, seed: int
) -> Any:
    from bench.flax_and_torch import Setting
    from lobjax.nets import TransformerConfig

    if seed < 0 or min(envs, steps) < 1:
        raise InputError("--seed must not be negative, --envs and --steps at least 1")
    try:
        net = TransformerConfig(layers=layers, width=width, heads=heads, window=window, towers=towers)
    except ValueError as error:
        raise InputError(f"bench parity: {error}") from None
    return Setting(net=net, envs=envs, steps=steps, seed=seed)


def check_memory(setting: Any) -> None:
    """InputError where comparing needs more memory than the machine has; nothing compiles."""
    from bench.flax_and_torch import sizes

    of, smaller = sizes(setting), "lower --envs, --steps or --window"
    parts = {
        "parameters": Part(_WEIGHTS * of.weights, "lower --layers or --width"),
        "the batch": Part(_BATCHES * of.batch, smaller),
        "what layers give": Part(_RESULTS * of.layers, f"{smaller}, --layers or --width"),
        "gradients": Part(2 * of.residuals, smaller),
    }
    Estimate(parts).check("this comparison")


def compared(setting: Any, sources: list[str], device: Any) -> tuple[list[Row], dict[str, Any], Mapping[str, Any]]:
    """Rows of the table, the figures, and the tensors that codes are compared on: weights, activations, gradients."""
    from bench import flax_and_torch as models

    params, data = models.weights(setting), models.batch(setting)
    exact = models.in_flax(setting, "float32", params, data)
    rows: list[Row] = []
    figures: dict[str, Any] = {}
    for short, precision in SHORT.items():
        mine = models.in_flax(setting, precision, params, data)
        cross = "_cross" if short.startswith("fp8") else ""
        for source in sources:
            if source == "transformer_engine" and precision == "fp8_float32":
                continue  # its products want bfloat16 around them
            theirs = models.in_torch(setting.torch(precision, source, device), params, data, device)
            mark = "te_" if source == "transformer_engine" else ""
            whole = compare_results(rows, short, source, "Flax", theirs, mine)
            figures |= {
                f"{mark}{short}{cross or '_forward'}": whole[0].l2,
                f"{mark}{short}{cross}_gradients": whole[1].l2,
                f"{mark}{short}{cross}_worst_gradient": whole[2],
            }
            if cross:
                whole = compare_results(rows, short, source, "float32", theirs, exact)
                figures |= {f"{mark}{short}_forward": whole[0].l2, f"{mark}{short}_gradients": whole[1].l2}
    tensors = {f"weight {k}": v for k, v in models.from_flax(params["net"]).items()}
    tensors = {k: v.numpy() for k, v in tensors.items()}
    tensors |= {f"activation {k}": v for k, v in exact.layers.items()}
    return rows, figures, tensors | {f"gradient {k}": v for k, v in exact.gradients.items()}


def compare_results(
    rows: list[Row], short: str, source: str, against: str, one: Any, other: Any
) -> tuple[Apart, Apart, float]:
    """Add rows of the whole model and of every layer; returns the distances of outputs, of gradients, and the worst of one weight's."""
    forward, gradients = apart(one.forward, other.forward), apart(one.gradients, other.gradients)
    rows.append(Row(short, source, against, "forward, whole", forward))
    rows.append(Row(short, source, against, "gradients, whole", gradients))
    for name in sorted(other.layers):
        rows.append(Row(short, source, against, f"forward, {name}", apart(one.layers[name], other.layers[name])))
    of_layers = ({name.rpartition(".")[0] for name in other.gradients}, one.gradients, other.gradients)
    for layer in sorted(of_layers[0]):
        mine, theirs = ({k: v for k, v in g.items() if k.rpartition(".")[0] == layer} for g in of_layers[1:])
        rows.append(Row(short, source, against, f"gradients, {layer}", apart(mine, theirs)))
    return forward, gradients, max(apart(one.gradients[name], x).l2 for name, x in other.gradients.items())


def compare_updates(setting: Any, rows: list[Row], device: Any) -> dict[str, float]:
    from bench.flax_and_torch import weights
    from bench.verification.parity.update import updates

    found = updates(setting, weights(setting), UPDATES, device)
    rows.append(Row("fp32", "plain", "Flax", "change of the weights in one update", found[1]))
    rows.append(Row("fp32", "plain", "Flax", f"weights after {UPDATES} updates", found[UPDATES]))
    return {"fp32_one_update": found[1].l2, f"fp32_after_{UPDATES}_updates": found[UPDATES].l2}


def failed(figures: Mapping[str, Any]) -> list[str]:
    """Names of figures that pass their gates."""
    wrong = [name for name, most in GATES.items() if not figures[name] <= most]
    return wrong + ([] if figures["fp8_codes_equal"] else ["fp8_codes_equal"])


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    head = [["precision", "torch layers", "against", "what", "relative L2", "1 - cosine"], ["---"] * 4 + ["---:"] * 2]
    body = [[*row[:4], f"{row.apart.l2:.2e}", f"{max(1 - row.apart.cosine, 0):.1e}"] for row in rows]
    return markdown_table([*head, *body])
