"""The extra that the price store needs, asked for when it is first used."""

from importlib import import_module
from typing import Any

from lobjax.errors import InputError


def needed(module: str) -> Any:
    """The module; InputError in a line that says how to get it, where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        if error.name != module:
            raise
        raise InputError(f"prices: the package {module} is missing; pip install 'lobjax[prices]'") from None
