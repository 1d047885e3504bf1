"""Placement by rows: every element has a place of its own, inside the rows that were reserved."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.formats import BF16
from hwsim.mapping.pim.placement import Address
from hwsim.mapping.pim.rows import RowCache, RowMatrix
from hwsim.mapping.pim.target import BankGeometry

TARGET = BankGeometry(machine="tiny", channels=3, banks=4, rows=1000, columns=4, lanes=2, buffer_elements=8, fmt=BF16)


def inside(address: Address, first: int, rows: int) -> bool:
    return (
        0 <= address.channel < TARGET.channels
        and 0 <= address.bank < TARGET.banks
        and first <= address.row < first + rows
        and 0 <= address.column < TARGET.columns
        and 0 <= address.lane < TARGET.lanes
    )


@given(d_in=st.integers(1, 30), d_out=st.integers(1, 40))
@settings(max_examples=40)
def test_every_weight_has_a_place_of_its_own(d_in: int, d_out: int) -> None:
    matrix = RowMatrix(operator="w", d_in=d_in, d_out=d_out, base_row=7, target=TARGET)
    places = [matrix.address(o, i) for o in range(d_out) for i in range(d_in)]
    assert len(set(places)) == d_in * d_out
    assert all(inside(place, 7, matrix.rows) for place in places)
    for slot in range(matrix.slots):  # instructions go to the channels that hold something
        held = {p.channel for p in places if (p.row - 7) % matrix.slots == slot}
        assert held == set(range(matrix.channels(slot)))


@given(
    kv_heads=st.integers(1, 4), d_k=st.integers(1, 8), d_v=st.integers(1, 9), context=st.integers(1, 30),
    batch=st.integers(1, 2),
)  # fmt: skip
@settings(max_examples=40)
def test_every_key_and_value_has_one(kv_heads: int, d_k: int, d_v: int, context: int, batch: int) -> None:
    cache = RowCache(
        operator="kv", heads=kv_heads, kv_heads=kv_heads, d_k=d_k, d_v=d_v, context=context, batch=batch, base_row=3,
        target=TARGET,
    )  # fmt: skip
    each = [(s, t, h) for s in range(batch) for t in range(context) for h in range(kv_heads)]
    places = [cache.k_address(*which, element) for which in each for element in range(d_k)]
    places += [cache.v_address(*which, element) for which in each for element in range(d_v)]
    assert len(set(places)) == len(each) * (d_k + d_v)
    assert all(inside(place, 3, cache.rows) for place in places)


def test_tokens_fill_the_banks_of_a_channel_first() -> None:
    cache = RowCache(operator="kv", heads=2, kv_heads=2, d_k=4, d_v=4, context=30, batch=1, base_row=0, target=TARGET)
    assert [cache.k_home(token) for token in (0, 3, 4, 11, 12)] == [
        (0, 0, 0),
        (0, 3, 0),
        (1, 0, 0),
        (2, 3, 0),
        (0, 0, 1),
    ]
    assert cache.place_heads(0) == (0, 1)
