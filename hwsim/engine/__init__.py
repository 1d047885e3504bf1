"""What a machine is made of: clocks, units with ports, channels and arbiters between them, a trace, a timeline."""

from hwsim.engine.arbiter import POLICIES, Arbiter, Master, Service
from hwsim.engine.channel import Channel
from hwsim.engine.clock import Clock, TimeBase, cycles_of_ns
from hwsim.engine.diagram import Diagram
from hwsim.engine.pipeline import Pace, Pipeline
from hwsim.engine.port import In, Out, Port, Steps, StreamEndedError, connect, double_buffer
from hwsim.engine.timeline import Counter, Span, Timeline, Track
from hwsim.engine.trace import STALL, Cause, Slice, Trace
from hwsim.engine.unit import Unit
from hwsim.engine.unit_spec import UnitKind, UnitSpec

__all__ = [
    "POLICIES",
    "STALL",
    "Arbiter",
    "Cause",
    "Channel",
    "Clock",
    "Counter",
    "Diagram",
    "In",
    "Master",
    "Out",
    "Pace",
    "Pipeline",
    "Port",
    "Service",
    "Slice",
    "Span",
    "Steps",
    "StreamEndedError",
    "TimeBase",
    "Timeline",
    "Trace",
    "Track",
    "Unit",
    "UnitKind",
    "UnitSpec",
    "connect",
    "cycles_of_ns",
    "double_buffer",
]
