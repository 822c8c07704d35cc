"""Kinds by name: what is not known is an error that names the nearest, and nothing is taken for another thing."""

import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal

import pytest

from lobjax.config import build, to_dict
from lobjax.errors import InputError
from lobjax.flow import FLOWS, PoissonConfig
from lobjax.nets import HEADS, NETS, MLPConfig, head_on
from lobjax.ranges import check
from lobjax.registry import OneOf, Registry, entry_of, kind_of
from lobjax.tasks import TASKS, EnvConfig, ExecutionConfig, Strategies, TaskSpec, make, register, strategies


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    kind: Literal["elsewhere"] = "elsewhere"
    decisions: int = 1
    step_s: float = 1.0
    step_messages: ClassVar[int] = 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"task": {"kind": "exekution"}}, "config.task.kind: 'exekution' is not known; did you mean 'execution'?"),
        ({"task": {"kind": "market-making"}}, "did you mean 'market_making'?"),
        (
            {"task": {"lots": 3}},
            "config.task: missing key 'kind'; known: execution, market_making, portfolio, snapshot",
        ),
        ({"task": {"kind": 3}}, "config.task.kind: 3 is not known"),
        ({"flow": {"kind": "poison"}}, "config.flow.kind: 'poison' is not known; did you mean 'poisson'?"),
        ({"flow": None}, "config.flow: missing key 'kind'"),
    ],
)
def test_an_unknown_kind_names_the_nearest(data, said):
    with pytest.raises(InputError) as refused:
        build(EnvConfig, data)
    assert said in str(refused.value)


@pytest.mark.parametrize("task", ["execution", None, PoissonConfig(), SimpleNamespace(kind="execution"), Elsewhere()])
def test_what_is_no_task_is_refused_in_python_too(task):
    with pytest.raises(ValueError, match=r"EnvConfig.task: (expected|unknown task '(elsewhere|poisson)'; known)"):
        EnvConfig(task=task)


def test_a_configuration_is_what_it_was():
    made = EnvConfig(task=ExecutionConfig(lots=7))
    assert build(EnvConfig, to_dict(made)) == made
    assert EnvConfig() == build(EnvConfig, {}) and EnvConfig().task == ExecutionConfig()


def test_a_name_is_taken_once():
    with pytest.raises(InputError, match="task 'execution' is registered already"):
        register(dataclasses.replace(TASKS["execution"]))
    assert register(TASKS["execution"]) is TASKS["execution"]  # the same again is nothing new


def test_names_are_those_of_the_configurations():
    for registry in (TASKS, FLOWS, NETS, HEADS):
        assert len(registry) >= 3
        for name, entry in registry.items():
            assert kind_of(entry.config) == name
            if dataclasses.fields(entry.config) and name not in ("recorded", "mixed"):  # which have no default
                assert entry_of(registry, entry.config()) is entry


@pytest.mark.parametrize("bad", ["no kind", "two kinds", "not frozen", "no dataclass", "default differs"])
def test_what_no_configuration_is_cannot_be_registered(bad):
    made = {
        "no kind": dataclass(frozen=True)(type("A", (), {"__annotations__": {"x": int}, "x": 1})),
        "two kinds": dataclass(frozen=True)(
            type("B", (), {"__annotations__": {"kind": Literal["a", "b"]}, "kind": "a"})
        ),
        "not frozen": dataclass(type("C", (), {"__annotations__": {"kind": Literal["c"]}, "kind": "c"})),
        "no dataclass": type("D", (), {"kind": "d"}),
        "default differs": dataclass(frozen=True)(
            type("E", (), {"__annotations__": {"kind": Literal["e"]}, "kind": "f"})
        ),
    }[bad]
    with pytest.raises(InputError, match="frozen"):
        kind_of(made)


def test_a_task_whose_configuration_lacks_an_episode_is_refused():
    @dataclass(frozen=True)
    class Short:
        kind: Literal["short"] = "short"
        decisions: int = 1

    with pytest.raises(InputError, match="task 'short': Short has no step_s; add it"):
        register(TaskSpec(config=Short, make=make, measures=TASKS["execution"].measures))
    assert "short" not in TASKS


def test_what_is_registered_later_is_known_from_then_on():
    registry: Registry[Any] = Registry("thing", {"elsewhere": SimpleNamespace(config=Elsewhere)})

    @dataclass(frozen=True)
    class Holder:
        thing: Annotated[Any, OneOf(registry)]

        def __post_init__(self) -> None:
            check(self)

    @dataclass(frozen=True)
    class Later:
        kind: Literal["later"] = "later"

    with pytest.raises(ValueError, match="unknown thing 'later'; known: elsewhere"):
        Holder(Later())
    registry.add("later", SimpleNamespace(config=Later))
    assert build(Holder, {"thing": {"kind": "later"}}) == Holder(Later())


def test_heads_and_networks_do_not_fall_through():
    with pytest.raises(ValueError, match="no head of kind 'categoricals' acts on a simplex"):
        head_on("simplex", 3, HEADS["categoricals"].config())
    with pytest.raises(InputError, match="head: unknown head 'mlp'"):
        head_on("simplex", 3, MLPConfig())
    with pytest.raises(InputError, match="unknown network 'mpl'; did you mean 'mlp'"):
        NETS["mpl"]


def test_a_task_without_strategies_says_so():
    env = SimpleNamespace(name="elsewhere", default_params=None)
    TASKS._entries["elsewhere"] = dataclasses.replace(TASKS["execution"], config=Elsewhere, strategies=Strategies())
    try:
        assert strategies(env, None) == {}  # pyright: ignore[reportArgumentType]
        with pytest.raises(InputError, match="strategy 'twap' is not one of task 'elsewhere'; it has none"):
            strategies(env, None, ("twap",))  # pyright: ignore[reportArgumentType]
    finally:
        del TASKS._entries["elsewhere"]
