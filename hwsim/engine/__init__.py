"""What a machine is made of: clocks, units, channels, a trace, a timeline."""

from hwsim.engine.channel import Channel
from hwsim.engine.clock import Clock, TimeBase, cycles_of_ns
from hwsim.engine.timeline import Counter, Span, Timeline, Track
from hwsim.engine.trace import Slice, Trace
from hwsim.engine.unit import Unit

__all__ = [
    "Channel",
    "Clock",
    "Counter",
    "Slice",
    "Span",
    "TimeBase",
    "Timeline",
    "Trace",
    "Track",
    "Unit",
    "cycles_of_ns",
]
