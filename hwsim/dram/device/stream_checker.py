"""Is a log legal, however long it is? Equal to `checker.first_violation` for each channel, in constant memory.

The compiled checker finds the first command of a channel that breaks a rule and then leaves the channel as it is, so
that the slow checker, put into that state, can say which rule it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.check_kernel import COMMAND, NO_SLOT, CheckState, check, new_state
from hwsim.dram.device.check_tables import compile_check
from hwsim.dram.device.checker import ChannelChecker, Violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.log_file import LOG_COLUMNS, MOST_CHANNELS
from hwsim.dram.device.standard import Standard

Ints = NDArray[np.int64]


class StreamChecker:
    """Takes the commands of all channels, mixed in any way, a chunk at a time.

    Parameters
    ----------
    check_modes : as in `checker.first_violation`
    """

    def __init__(self, standard: Standard, *, check_modes: bool = False) -> None:
        self.standard = standard
        self.check_modes = check_modes
        self._tables, self._kept = compile_check(standard, check_modes=check_modes)
        self._slot_of = np.full(MOST_CHANNELS, NO_SLOT, dtype=np.int64)
        self._channels: list[int] = []  # by slot
        self._state = new_state(self._tables, 1)

    def feed(self, rows: Ints) -> None:
        """Check further commands, (n, len(LOG_COLUMNS)) rows as `log_file.read_commands` gives them."""
        at = 0
        while True:
            at = check(self._state, self._tables, self._slot_of, rows, at)
            if at == len(rows):
                return
            self._add_channel(int(rows[at, LOG_COLUMNS.index("channel")]))

    @property
    def commands(self) -> dict[int, int]:
        """How many commands each channel has, by channel."""
        return {channel: int(self._state.commands[slot]) for channel, slot in self._slots()}

    @property
    def violations(self) -> dict[int, Violation]:
        """The first violation of each channel that has one, by channel."""
        return {
            channel: self._worded(slot) for channel, slot in self._slots() if self._state.broken[slot, COMMAND] >= 0
        }

    def _slots(self) -> list[tuple[int, int]]:
        return sorted((channel, slot) for slot, channel in enumerate(self._channels))

    def _add_channel(self, channel: int) -> None:
        slot = len(self._channels)
        if slot == len(self._state.legal):
            more = new_state(self._tables, slot)
            self._state = CheckState(*(np.concatenate(pair) for pair in zip(self._state, more, strict=True)))
        self._channels.append(channel)
        self._slot_of[channel] = slot

    def _worded(self, slot: int) -> Violation:
        """What the slow checker says of the command at which a channel stopped."""
        names = list(self.standard.commands)
        fields = dict(zip(LOG_COLUMNS, self._state.broken[slot].tolist(), strict=True))
        del fields["channel"]
        entry = LoggedCommand(command=names[fields.pop("command")], **fields)
        broken = self._resumed(slot).broken_rule(entry)
        if broken is None:
            raise AssertionError(f"the checkers differ about {entry}")
        rule, earliest = broken
        return Violation(index=int(self._state.legal[slot]), command=entry, rule=rule, earliest=earliest)

    def _resumed(self, slot: int) -> ChannelChecker:
        """The slow checker in the state of a channel."""
        checker = ChannelChecker(self.standard, check_modes=self.check_modes)
        checker.open = self._state.open_rows[slot].tolist()
        checker.last_cycle = int(self._state.last_cycle[slot])
        checker.register_mode = bool(self._state.register_mode[slot])
        for kept in self._kept:
            for node, issues in enumerate(checker.issues[kept.command][kept.level].by_node):
                newest = kept.place + node * kept.depth
                issues.extend(self._state.history[slot, newest : newest + kept.depth][::-1].tolist())
        return checker
