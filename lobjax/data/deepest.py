"""What a book row asks of the book: its seed, and corrections at the deepest level of the window only. Numba, no JAX."""

from numba import njit

from lobjax.data.queues import better, level_lots
from lobjax.data.rules import CORRECTION, N_CORRECTIONS, NEW, REAL, SEED, UNEXPLAINED, drop_level, enter, take_at


@njit(cache=True)
def seed(queues, log, shown, event, side, price, lots, order_id):
    """The book after row 0, from its levels `shown` [2, L, 2]: one synthetic order each.

    If row 0 is itself a new order at a level seen, that order stands there under its own id, behind the rest.
    """
    for each in range(2):
        for level in range(shown.shape[1]):
            want = shown[each, level, 1]
            if want == 0:
                break
            is_here = event == NEW and each == side and shown[each, level, 0] == price
            own = lots if is_here and lots <= want else 0
            if want > own:
                enter(queues, log, each, shown[each, level, 0], want - own, 0, SEED, False)
            if own > 0:
                enter(queues, log, each, price, own, order_id, REAL, False)


@njit(cache=True)
def reconcile(queues, log, shown, levels):
    """Bring level `levels` of both sides to what the row shows; what differs above it is counted and left alone.

    Above it every change has a message. At it liquidity comes in and goes out unseen: levels that we hold between the last level
    but one and the deepest one shown are gone, and the deepest has the lots that the row gives. Each level changed is one correction.
    """
    for side in range(2):  # removals first: an addition may need the room on the other side
        _clear(queues, log, side, shown[side], levels)
    is_explained = True
    for side in range(2):
        _match(queues, log, side, shown[side, levels - 1, 0], shown[side, levels - 1, 1])
        is_explained = _agrees(queues, side, shown[side], levels) and is_explained
    if not is_explained:
        log.counts[UNEXPLAINED] += 1


@njit(cache=True)
def _clear(queues, log, side, shown, levels):
    if levels > 1 and shown[levels - 2, 1] == 0:
        return  # the row shows the whole side, with room to spare: nothing is unseen
    at = 0
    while levels > 1 and at < queues.n_levels[side] and not better(side, shown[levels - 2, 0], queues.price[side, at]):
        at += 1
    deepest, is_full = shown[levels - 1, 0], shown[levels - 1, 1] > 0
    while at < queues.n_levels[side] and not (is_full and not better(side, queues.price[side, at], deepest)):
        drop_level(queues, log, side, at, CORRECTION)
        log.counts[N_CORRECTIONS] += 1


@njit(cache=True)
def _match(queues, log, side, price, want):
    have = level_lots(queues, side, price) if want > 0 else 0
    if have < want:
        enter(queues, log, side, price, want - have, 0, CORRECTION, False)
    elif have > want:
        take_at(queues, log, side, price, have - want, CORRECTION)
    log.counts[N_CORRECTIONS] += have != want


@njit(cache=True)
def _agrees(queues, side, shown, levels):
    for level in range(levels):
        held = level < queues.n_levels[side]
        if shown[level, 1] == 0:
            return not held
        if not held or queues.price[side, level] != shown[level, 0] or queues.lots[side, level] != shown[level, 1]:
            return False
    return True
