"""What a machine is made of: clocks, units, channels, a trace."""

from hwsim.engine.channel import Channel
from hwsim.engine.clock import Clock, TimeBase, cycles_of_ns
from hwsim.engine.trace import Slice, Trace
from hwsim.engine.unit import Unit

__all__ = ["Channel", "Clock", "Slice", "TimeBase", "Trace", "Unit", "cycles_of_ns"]
