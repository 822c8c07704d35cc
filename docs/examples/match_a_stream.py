"""Match a stream of messages and print the book: message by message with the pure step, then all at once by an engine.

Run: python docs/examples/match_a_stream.py
"""

import jax
import numpy as np

import lobjax
from lobjax import Kind, Message, Side
from lobjax.engine import run_streams

# kind, side, price in ticks, size in lots, order id, owner (0: the background, 1 and more: accounts)
STREAM = [
    (Kind.LIMIT, Side.BID, 99, 5, 1, 0),
    (Kind.LIMIT, Side.BID, 98, 7, 2, 0),
    (Kind.LIMIT, Side.ASK, 101, 4, 3, 1),
    (Kind.POST_ONLY, Side.ASK, 102, 6, 4, 1),
    (Kind.LIMIT, Side.BID, 101, 6, 5, 2),  # takes 4 lots at 101; 2 lots become the best bid
    (Kind.MARKET, Side.ASK, 0, 3, 0, 0),  # sells 2 lots at 101 and 1 at 99
    (Kind.CANCEL_ALL, Side.ASK, 0, 0, 0, 1),  # account 1 takes its offers off
]


def print_book(book: lobjax.Book) -> None:
    bids, asks = (np.asarray(side) for side in lobjax.book.listing(book))
    for name, side in (("ask", asks[::-1]), ("bid", bids)):
        for price, size, order_id, owner in side[side[:, 1] > 0].tolist():
            print(f"  {name} {price:>4} x {size:<3} order {order_id}, owner {owner}")


def main() -> None:
    book, step = lobjax.book.empty_book(capacity=8), jax.jit(lobjax.step)
    for row in STREAM:
        book, outcome = step(book, Message(*(np.int32(field) for field in row)))
        print(f"{Kind(row[0]).name}: traded {int(outcome.traded)} lots, {int(outcome.counters.unknown)} unknown")
    print_book(book)

    # The same through an engine: any number of books side by side, fields are int32 [books, messages].
    many = Message(*np.repeat(np.array(STREAM, np.int32).T[:, None, :], 1000, axis=1))
    result = run_streams(many, engine="auto", capacity=8)
    same = (
        np.array_equal(result.bids[0], np.asarray(lobjax.book.listing(book)[0]))
        and (result.bids == result.bids[0]).all()
    )
    print(f"{len(result.bids)} books, {int(result.traded.sum())} lots traded, each book as above: {bool(same)}")


if __name__ == "__main__":
    main()
