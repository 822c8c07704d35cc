"""How large numbers may be for every sum here to be exact, on the device in two limbs and on the host in int64. No JAX.

Money is counted in two units: cash in ticks x lots, and fees and values in ten-thousandths of it (`UNIT`), in which a fee in
milliticks a lot and one in basis points of what was paid are both whole numbers.

With at most `MAX_LEVELS` levels of at most `MAX_LOTS` lots, the lots of a side fit int32; times `MAX_PRICE_TICKS` a sweep's cash stays
below 2^61, which two limbs hold. Cash that stays below `MAX_CASH` may be valued and charged: 2^46 x 10^4 x 2 < 2^61.
"""

UNIT = 10_000  # to a tick x lot
MAX_LEVELS = 100
MAX_LOTS = 1 << 24  # at a level
MAX_PRICE_TICKS = (1 << 30) - 1
MAX_ORDER_LOTS = 1 << 30
MAX_CASH = 1 << 46  # ticks x lots
MAX_FEE_MILLITICKS = 1_000_000
MAX_FEE_BPS = 1_000


def check_cash(price_ticks: int, lots: int) -> None:
    """ValueError unless an account that trades so many lots, at no higher a price, is exact."""
    if price_ticks * lots >= MAX_CASH:
        raise ValueError(
            f"{lots:,} lots at up to {price_ticks:,} ticks are more than can be valued exactly (2^46 ticks x lots); "
            "use fewer or larger lots"
        )
