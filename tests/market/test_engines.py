"""Engines have all that their types ask for, under these names and no others, and are found by name; nothing is optional."""

import dataclasses

import pytest

from lobjax.engine import ENGINES as STREAM_ENGINES
from lobjax.engine import StreamEngine
from lobjax.errors import InputError
from lobjax.flow import PoissonFlow
from lobjax.market import Market
from lobjax.market.engines import ENGINES, choose
from lobjax.market.interface import MarketEngine


@pytest.mark.parametrize(("registry", "interface"), [(ENGINES, MarketEngine), (STREAM_ENGINES, StreamEngine)])
def test_every_engine_is_whole(registry, interface):
    fields = [field.name for field in dataclasses.fields(interface)]
    for _, load in registry.items():
        engine = load()
        assert type(engine) is interface and load() is engine
        assert all(callable(getattr(engine, field)) for field in fields)


@pytest.mark.parametrize(
    ("registry", "misspelt"), [(ENGINES, "refusals"), (ENGINES, "draws"), (STREAM_ENGINES, "refuses")]
)
def test_what_is_left_out_or_misspelt_is_an_error(registry, misspelt):
    whole = {field.name: getattr(registry["xla"](), field.name) for field in dataclasses.fields(registry["xla"]())}
    interface = type(registry["xla"]())
    for field in whole:
        with pytest.raises(TypeError, match=field):
            interface(**{name: value for name, value in whole.items() if name != field})
    with pytest.raises(TypeError, match=misspelt):
        interface(**whole, **{misspelt: lambda *_: None})


def test_an_unknown_engine_names_the_nearest():
    with pytest.raises(InputError, match="unknown engine 'hots'; did you mean 'host'"):
        choose("hots", PoissonFlow())
    with pytest.raises(InputError, match="unknown engine 'kernl'; did you mean 'kernel'"):
        ENGINES["kernl"]
    with pytest.raises(ValueError, match="engine must be one of auto, kernel, host, xla"):
        Market(flow=PoissonFlow(), capacity=8, engine="hots")  # pyright: ignore[reportArgumentType]


def test_a_flow_without_a_twin_is_left_to_xla_by_auto_and_refused_by_name():
    class Untwinned(PoissonFlow):
        pass

    assert choose("auto", Untwinned()).engine == "xla"
    with pytest.raises(InputError, match=r"host cannot run, as the flow Untwinned has no twin in lobjax.flow.host"):
        choose("host", Untwinned())
