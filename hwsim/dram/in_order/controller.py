"""The interface of every player of DRAM programs, so that machines can choose one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from hwsim.dram.in_order.program import Request


@runtime_checkable
class ChannelController(Protocol):
    """A controller of one channel; its state is kept from one `play` to the next.

    The rules that all in-order players share (`hwsim.dram.random_access` has a controller that reorders:
    docs/dram.md): one command a cycle; each command is issued at the first cycle that the table allows, in the order of
    the program; rows are opened and closed as the accesses require; a refresh is issued when it falls due, before any
    further command of the program, also while the channel has no work.
    """

    def play(self, requests: Sequence[Request], start: int) -> int:
        """Play a program from cycle `start` on; return the cycle in which its last command completes."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Commands issued so far, by name."""
