"""One module for many equal parts. Amaranth emits each equal submodule again, which costs minutes for an array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amaranth import ClockSignal, Fragment, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring


class PartInstance(Instance):
    """An instance that knows its component, so that `hwsim.rtl.flows.generate` can emit the component once."""

    def __init__(self, module: str, part: wiring.Component, **ports: Any) -> None:
        super().__init__(module, **ports)
        self.module = module
        self.part = part


def add_instance(m: Module, name: str, module: str, part: wiring.Component) -> Any:
    """Put an instance of `part` into `m`; return an interface with its signature.

    Parameters
    ----------
    name : of the instance
    module : of the part; within a design, equal names must mean equal parts
    part : the same object for all instances
    """
    interface = part.signature.create(path=(name,))
    ports: dict[str, Any] = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
    for path, member, value in part.signature.flatten(interface):
        direction = "i" if member.flow == wiring.In else "o"
        ports[f"{direction}_{'__'.join(map(str, path))}"] = Value.cast(value)
    m.submodules[name] = PartInstance(module, part, **ports)
    return interface


def find_parts(fragment: Fragment) -> Iterator[PartInstance]:
    """All instances of parts in an elaborated design, except parts within parts."""
    for sub, *_ in fragment.subfragments:
        if isinstance(sub, PartInstance):
            yield sub
        else:
            yield from find_parts(sub)
