"""Logs at speed: bytes to commands, by the rules of `log_file.LogFormat`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.log_file import LOG_COLUMNS, MOST_CHANNELS
from hwsim.text_chunks import MAX_LINE_BYTES

COMMAND = LOG_COLUMNS.index("command")
CHANNEL = LOG_COLUMNS.index("channel")
MOST_DIGITS = 18
NEWLINE, COMMA, MINUS, ZERO, NINE = (ord(c) for c in "\n,-09")
SPACE, TAB, RETURN = (ord(c) for c in " \t\r")
DEAD = -1  # the state after a text that begins no name


def name_automaton(names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A finite automaton that reads names byte by byte, from state 0.

    Returns
    -------
    (states, 256) the next state, or DEAD; (states,) the number of the name that ends there, or -1
    """
    states = [""]  # every beginning of a name is a state
    for name in names:
        states += [name[:end] for end in range(1, len(name) + 1) if name[:end] not in states]
    step = np.full((len(states), 256), DEAD, dtype=np.int64)
    for state, text in enumerate(states[1:], start=1):
        step[states.index(text[:-1]), ord(text[-1])] = state
    return step, np.array([names.index(text) if text in names else -1 for text in states], dtype=np.int64)


@compiled
def scan(data, columns, step, accepted, out):
    """Read whole lines; returns commands, lines read, and whether it stopped at a wrong line.

    Parameters
    ----------
    data : bytes that end with a newline
    columns : the column of `out` that each field of a line fills, below 0 for none
    step, accepted : `name_automaton` of the commands
    out : (n, len(LOG_COLUMNS)) for the commands
    """
    count, line, at = 0, 0, 0
    while at < data.size:
        begin = at
        at = _after_blanks(data, at)
        if data[at] != NEWLINE:
            at = _read_line(data, at, columns, step, accepted, out[count])
            if at < 0 or at - begin > MAX_LINE_BYTES or not 0 <= out[count, CHANNEL] < MOST_CHANNELS:
                return count, line, True
            count += 1
        line += 1
        at += 1
    return count, line, False


@inlined
def _read_line(data, at, columns, step, accepted, row):
    """Fill a row with the fields of a line; returns the place of its newline, or -1 if it has another form."""
    last = columns.size - 1
    for field in range(columns.size):
        at = _after_blanks(data, at)
        column = columns[field]
        if column < 0:
            while data[at] != COMMA and data[at] != NEWLINE:
                at += 1
        elif column == COMMAND:
            state = 0
            while not _ends_field(data[at]):
                state = step[state, data[at]]
                if state == DEAD:
                    return -1
                at += 1
            if accepted[state] < 0:
                return -1
            row[column] = accepted[state]
        else:
            negative = data[at] == MINUS
            at += negative
            value, first = 0, at
            while ZERO <= data[at] <= NINE and at - first < MOST_DIGITS:
                value = value * 10 + (data[at] - ZERO)
                at += 1
            if at == first:
                return -1
            row[column] = -value if negative else value
        at = _after_blanks(data, at)
        if data[at] != (NEWLINE if field == last else COMMA):
            return -1
        at += field != last
    return at


@inlined
def _after_blanks(data, at):
    while data[at] == SPACE or data[at] == TAB or data[at] == RETURN:
        at += 1
    return at


@inlined
def _ends_field(byte):
    return byte in (COMMA, NEWLINE, SPACE, TAB, RETURN)
