"""What a flow is: a pure function that writes the next message of the background market."""

from typing import Any, NamedTuple, Protocol

import jax

from lobjax.book import Book, BySide
from lobjax.clock import Time
from lobjax.types import Message


class Opening(NamedTuple):
    """A market before anybody acts: the book, the flow's own state, the time, and when the first message is due."""

    book: Book
    flow: Any
    now: Time
    due: Time


class Flow(Protocol):
    """Writes background messages one at a time, for one book. Static: sizes only; every number is in `params`, a pytree.

    The market calls `next` when the message falls due; it reads the book as it is then, and says how long after it the next one comes.
    """

    @property
    def words(self) -> int:
        """Uint32 random words that one message uses."""
        ...

    def open(self, key: jax.Array, params: Any, start: jax.Array | None = None) -> Opening:
        """Draw an opening; or take the one numbered `start` (int32), where a flow has numbered openings."""
        ...

    def next(self, state: Any, book: BySide, words: jax.Array, params: Any) -> tuple[Any, Message, Time]:
        """The message due now, from random words `[words]` uint32, and the time from it to the next one.

        On the engine kernel this function is compiled into a GPU kernel, if it can be. There `params` holds references, of which
        `x[...]` and `x[i]` read all or an element; `words` can be read as `words[i]`, and `book` by `best_prices`, `mid2` and
        `lots_from`; vectors have a power of two of elements, and are not indexed, cut, joined or sorted. `PoissonFlow` is an example;
        a flow that is written so says `in_kernel = True`.
        """
        ...
