"""From a contract's ports to an Amaranth signature."""

from __future__ import annotations

from amaranth import signed, unsigned
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Member, Out

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract
from hwsim.rtl.ports import Field, Port


def port_members(contract: Contract) -> dict[str, Member]:
    """The members of a component's signature: one stream per port; its payload is a struct of the port's fields."""
    return {
        port.name: (In if port.direction == "in" else Out)(stream.Signature(payload_layout(port)))
        for port in contract.ports
    }


def payload_layout(port: Port) -> data.StructLayout:
    """The fields of a port, the first lowest."""
    return data.StructLayout({field.name: _field_shape(field) for field in port.fields})


def shape_of(fmt: Fixed) -> signed | unsigned:
    """The Amaranth shape of a format's codes."""
    return signed(fmt.width) if fmt.signed else unsigned(fmt.width)


def _field_shape(field: Field) -> signed | unsigned | data.ArrayLayout:
    shape = shape_of(field.format)
    return shape if field.lanes is None else data.ArrayLayout(shape, field.lanes)
