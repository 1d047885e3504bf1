"""Which loads are measured, and the knee: the highest load that a memory carries before requests queue up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Generic, Protocol, TypeVar

from hwsim.errors import DramError

# Loads are thousandths of saturation: what is delivered when requests arrive as fast as they can be taken.
UNLOADED = 10  # few enough that requests do not meet
STEP = 50
RESOLUTION = 10  # the knee is known to this
_FINEST = 1 << 20  # rates are fractions with denominators up to this, so that arrivals are exact in 64 bits


class Measured(Protocol):
    """What the rule looks at: requests a cycle that arrive and are served; the rest is in cycles."""

    @property
    def offered(self) -> Fraction: ...
    @property
    def delivered(self) -> float: ...
    @property
    def latency(self) -> float: ...
    @property
    def longest(self) -> int: ...
    @property
    def span(self) -> int: ...
    @property
    def late(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class KneeRule:
    """A load is carried if both of these hold; the knee is the highest load that is (both assumed, grade A).

    Attributes
    ----------
    growth : the mean latency is at most so many times the unloaded one
    lateness : the memory keeps up: the last request is taken late by at most this share of the time in which requests
        arrive, plus the longest unloaded latency, since a refresh may come at the end of any play
    """

    growth: float = 2.0
    lateness: float = 0.01

    def __post_init__(self) -> None:
        if not 1 < self.growth < float("inf"):
            raise DramError(f"the growth of latency up to the knee must be above 1, got {self.growth}")
        if not 0 < self.lateness < 1:
            raise DramError(
                f"the share of time that the last request may be late must be from 0 to 1, got {self.lateness}"
            )

    def keeps_up(self, point: Measured, unloaded: Measured) -> bool:
        return point.late <= self.lateness * point.span + unloaded.longest

    def carries(self, point: Measured, unloaded: Measured) -> bool:
        return self.keeps_up(point, unloaded) and point.latency <= self.growth * unloaded.latency


Point = TypeVar("Point", bound=Measured)


@dataclass(frozen=True, kw_only=True)
class Loads(Generic[Point]):
    """What was measured.

    Attributes
    ----------
    points : by load, ascending; the first is unloaded
    saturation : when requests arrive as fast as they can be taken
    knee : one of the points; None if the memory carries whatever the host can offer
    """

    points: tuple[Point, ...]
    saturation: Point
    knee: Point | None


def find_knee(measure: Callable[[Fraction], Point], most: Fraction, rule: KneeRule) -> Loads[Point]:
    """Measure rates from unloaded up to the first with which the memory does not keep up, and closer around the knee.

    Parameters
    ----------
    measure : a rate in requests a cycle to what it leads to
    most : the rate at which requests can be taken at most
    """
    saturation = measure(most)
    step = Fraction(saturation.delivered) / 1000
    points: dict[int, Point] = {}

    def visit(load: int) -> Point:
        points[load] = measure(min(most, (load * step).limit_denominator(_FINEST)))
        return points[load]

    unloaded = visit(UNLOADED)
    for load in count(STEP, STEP):
        point = visit(load)
        if not rule.keeps_up(point, unloaded) or point.offered == most:
            break
    loads = sorted(points)
    high = next((load for load in loads if not rule.carries(points[load], unloaded)), None)
    knee = None
    if high is not None:
        low = max(load for load in loads if load < high)
        while high - low > RESOLUTION:
            middle = (low + high) // 2
            low, high = (middle, high) if rule.carries(visit(middle), unloaded) else (low, middle)
        knee = points[low]
    return Loads(points=tuple(points[load] for load in sorted(points)), saturation=saturation, knee=knee)
