"""A channel that one DMA engine has for itself, with one burst at a time on its way (`bursts.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.digits import NO_XOR, Part
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.errors import DramError

ROW_POLICIES = ("closed", "closed_adaptive")  # with these, nothing that waits means no open row


@dataclass(frozen=True, kw_only=True)
class BurstChannel:
    """One channel of a standard and its controller; a burst stays within an aligned block.

    All blocks are alike: a burst takes the same cycles at the same offset of each, because a block begins at the same
    place of the mapping's low digits, and a DRAM's banks, like its rows, are exchangeable.

    Attributes
    ----------
    standard : with all-bank refresh, or without refresh
    parameters : with a row policy that leaves no row open
    mapping : as `load_mapping` takes it; None for the default

    Raises
    ------
    DramError : what tables of bursts cannot say: rows that stay open, refresh in turns or postponed, several ranks,
        blocks that the mapping does not lay out alike
    """

    standard: Standard
    parameters: ControllerParameters
    block_bytes: int = 2048
    mapping: str | None = None

    def __post_init__(self) -> None:
        name, policy = self.standard.name, self.parameters.row_policy
        if policy not in ROW_POLICIES:
            raise DramError(f"bursts on {name}: row_policy must be {' or '.join(ROW_POLICIES)}, got {policy}")
        if not {"RDA", "WRA"} <= set(self.standard.commands):
            raise DramError(f"bursts on {name}: has no RDA and WRA, so its rows cannot be closed by an access")
        if self.standard.ranks > 1:
            raise DramError(f"bursts on {name}: the channel must have one rank, found {self.standard.ranks}")
        self._check_refresh()
        self._check_blocks()

    def __hash__(self) -> int:
        """Of a few of the fields: the standard holds tables, which have none."""
        return hash((self.standard.name, self.standard.clock_hz, self.parameters, self.block_bytes, self.mapping))

    @cached_property
    def address_mapping(self) -> AddressMapping:
        return load_mapping(self.mapping, self.standard, 1)

    @property
    def period(self) -> int:
        """Cycles from one refresh that is due to the next; 1 without refresh."""
        return self.standard.refresh.interval if self.standard.refresh else 1

    @cached_property
    def quiet(self) -> int:
        """Cycles after a refresh was issued in which it keeps commands waiting; 0 without refresh."""
        return self.waits[self.standard.refresh.command] if self.standard.refresh else 0

    @cached_property
    def refresh_number(self) -> int:
        """Number of the command that refreshes; -1 without refresh."""
        rule = self.standard.refresh
        return self.standard.command_ids[rule.command] if rule else -1

    @cached_property
    def waits(self) -> dict[str, int]:
        """The longest wait of any command of the controller for each."""
        rule, read = self.standard.refresh, self.standard.commands["RD"]
        names = {"RD", "WR", "RDA", "WRA", read.activate or "", read.precharge or ""}
        names |= {rule.command, rule.precharge} if rule else set()
        return {name: max([1, *self._latencies(name, names)]) for name in sorted(names)}

    @cached_property
    def settle_cycles(self) -> int:
        """At most so many cycles after a burst's completion the channel is settled again, whatever the burst.

        The last command of a burst is its last access; an activate comes at least tRCD before it, and what closes a
        row for a refresh comes before an activate. What they keep waiting counts from the access's completion.
        """
        return max(self._settles(kind) for kind in ("RD", "WR"))

    @cached_property
    def most_late(self) -> int:
        """At most so many cycles after it fell due a refresh is issued, whatever the bursts.

        Nothing is opened or served after it fell due: the waits of what was issued before run out, then rows are
        closed, then it goes.
        """
        rule = self.standard.refresh
        if rule is None:
            return 0
        closings = (
            1 if self.standard.banks_below(self.standard.commands[rule.precharge].scope) > 1 else self.standard.banks
        )
        before = max(cycles for name, cycles in self.waits.items() if name != rule.command)
        return before + closings - 1 + self.waits[rule.precharge]

    def refreshes_by(self, cycle: int) -> int:
        """Refreshes that have fallen due before a cycle; a channel that settled before it has issued all of them."""
        return max(0, cycle - 1) // self.period if self.standard.refresh else 0

    def _settles(self, kind: str) -> int:
        access, waits = self.standard.commands[kind], self.waits
        activate, precharge = access.activate or "", access.precharge or ""
        opening = max(self._latencies(activate, {kind}))
        closing = max(self._latencies(precharge, {activate})) + opening
        closes = [self.standard.refresh.precharge] if self.standard.refresh else []
        left = [waits[kind], waits[f"{kind}A"], waits[activate] - opening]
        left += [waits[name] - closing for name in (precharge, *closes)]
        return max(0, max(left) - access.duration)

    def _latencies(self, preceding: str, following: set[str]) -> list[int]:
        return [c.latency for c in self.standard.constraints if c.preceding == preceding and c.following in following]

    def _check_refresh(self) -> None:
        rule = self.standard.refresh
        if rule and rule.turns > 1:
            raise DramError(
                f"bursts on {self.standard.name}: all banks must be refreshed at once, found {rule.command}, "
                f"which takes {rule.turns} turns"
            )
        if rule and rule.postponed:
            raise DramError(f"bursts on {self.standard.name}: no refresh may be postponed, found {rule.postponed}")

    def _check_blocks(self) -> None:
        """A block fills the mapping's low digits and at most an equal share of one more."""
        column, name = self.standard.column_bytes, self.address_mapping.name
        if self.block_bytes < column or self.block_bytes % column:
            raise DramError(
                f"bursts on {self.standard.name}: block_bytes must be a multiple of an access of {column} B, "
                f"got {self.block_bytes}"
            )
        digits, rest, rows = self.address_mapping.digits, self.block_bytes // column, False
        for digit in digits:
            if rest == 1:
                break
            rows |= digit.part is Part.ROW
            if rest % digit.size and digit.size % rest:
                break
            rest = max(1, rest // digit.size)
        if rest > 1 or (rows and any(digit.xor_shift != NO_XOR for digit in digits)):
            raise DramError(
                f"bursts on {self.standard.name}: mapping {name} does not lay out all blocks of "
                f"{self.block_bytes} B alike"
            )
