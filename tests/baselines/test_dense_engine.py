"""Dense attention on the DSPs of another design."""

import pytest

from hwsim.baselines.dense_engine import DenseEngine
from hwsim.errors import MachineError


def test_a_head_by_hand() -> None:
    engine = DenseEngine(dsps=100, dsps_per_mac=3, clock_hz=100e6)
    assert (engine.units, engine.macs_per_cycle) == (33, 33)
    assert engine.head_cycles(tokens=66, head_dim=4) == 2 * 66 * 66 * 4 // 33
    assert engine.attention_s(66, 4, heads=5) == pytest.approx(5 * 1056 / 100e6)


def test_interval_and_efficiency_slow_the_units_down() -> None:
    engine = DenseEngine(dsps=100, dsps_per_mac=3, clock_hz=100e6, mac_interval=3, efficiency=0.5)
    assert engine.macs_per_cycle == pytest.approx(5.5)
    assert engine.head_cycles(tokens=66, head_dim=4) == 2 * 66 * 66 * 4 * 6 // 33


def test_time_is_quadratic_in_tokens() -> None:
    engine = DenseEngine(dsps=1024, dsps_per_mac=2, clock_hz=300e6)
    assert engine.head_cycles(16384, 64) == 1024 * engine.head_cycles(512, 64) == 67_108_864


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"dsps": 2}, "dense engine: 2 DSPs hold no multiply-accumulate unit of 3 DSPs"),
        ({"dsps_per_mac": 0}, "dense engine: 100 DSPs hold no multiply-accumulate unit of 0 DSPs"),
        (
            {"clock_hz": 0},
            "dense engine: expected a clock above 0 Hz and an interval of at least 1 cycle, got 0 Hz and 1",
        ),
        ({"efficiency": 1.5}, "dense engine: efficiency must be above 0 and at most 1, got 1.5"),
    ],
)
def test_engines_that_cannot_be_are_refused(changed: dict[str, float], text: str) -> None:
    fields = {"dsps": 100, "dsps_per_mac": 3, "clock_hz": 100e6, **changed}
    with pytest.raises(MachineError, match=f"^{text}$"):
        DenseEngine(**fields)  # type: ignore[arg-type]
