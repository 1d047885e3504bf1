"""Bytes of a trace to encoded instructions, compiled by numba; `scanner.scan` calls it."""

from __future__ import annotations

import numpy as np
from numba import njit

from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, ACTIVATION_FUNCTIONS, CODES
from hwsim.dram.aim.scanner import NAME, WORDS
from hwsim.dram.device.kernel_cache import find_cache_folder

find_cache_folder()

_EWADD, _HOST, _CFR = CODES["EWADD"], CODES["HOST"], CODES["WR_CFR"]
_READ, _WRITE = CODES["RD_SBK"], CODES["WR_SBK"]
_OPSIZE, _MASK, _BANK, _ROW = 0, 3, 4, 5


@njit(cache=True, error_model="numpy")
def scan(data, out, lines, found, words_at, bounds, names, places, codes):
    starts, ends = words_at[0], words_at[1]
    count, line, at = 0, 0, 0
    last_begin = last_end = 0  # the line of the last instruction, with its newline
    while at < data.size:
        if last_end and _repeats(data, at, last_begin, last_end):  # traces repeat many a line
            for column in range(out.shape[1]):
                out[count, column] = out[count - 1, column]
            lines[count] = line
            count += 1
            line += 1
            at += last_end - last_begin
            continue
        first = at
        words = 0
        comment = False
        while at < data.size and data[at] != 10:
            byte = data[at]
            if byte == 35:
                comment = True
            if comment or _blank(byte):
                at += 1
                continue
            begin = at
            while at < data.size and data[at] != 10 and data[at] != 35 and not _blank(data[at]):
                at += 1
            if words < WORDS:
                starts[words] = begin
                ends[words] = at
            words += 1
        if words:
            if not _instruction(data, starts, ends, words, out[count], bounds, names, places, codes):
                found[0], found[1], found[2] = count, line, 1
                return 0
            lines[count] = line
            count += 1
            last_begin, last_end = first, at + 1
        line += 1
        at += 1
    found[0], found[1], found[2] = count, line, 0
    return 0


@njit(cache=True, error_model="numpy")
def _repeats(data, at, begin, end):
    """Whether the bytes from `at` on are those of a line."""
    if at + end - begin > data.size or data[at + end - begin - 1] != 10:
        return False
    while begin < end and data[at] == data[begin]:
        at += 1
        begin += 1
    return begin == end


@njit(cache=True, error_model="numpy")
def _blank(byte):
    return byte in (32, 44) or 9 <= byte <= 13


@njit(cache=True, error_model="numpy")
def _upper(byte):
    return byte - 32 if 97 <= byte <= 122 else byte


@njit(cache=True, error_model="numpy")
def _is(data, begin, end, a, b, c):
    """Whether a word consists of these letters; 0 stands for no letter."""
    length = 1 + (b != 0) + (c != 0)
    return (
        end - begin == length
        and _upper(data[begin]) == a
        and (length < 2 or _upper(data[begin + 1]) == b)
        and (length < 3 or _upper(data[begin + 2]) == c)
    )


@njit(cache=True, error_model="numpy")
def _instruction(data, starts, ends, words, row, bounds, names, places, codes):
    row[0], row[1], row[2], row[3], row[4] = 0, 1, 0, -1, -1
    if words < 2 or words > WORDS:
        return False
    if _is(data, starts[0], ends[0], 65, 73, 77):  # AiM
        return _aim(data, starts, ends, words, row, bounds, names, places, codes)
    write = _is(data, starts[0], ends[0], 87, 0, 0)
    if not write and not _is(data, starts[0], ends[0], 82, 0, 0):
        return False
    return _access(data, starts, ends, words, row, bounds, write)


@njit(cache=True, error_model="numpy")
def _operation(data, begin, end, names):
    if end - begin > 4 and _is(data, begin, begin + 3, 73, 83, 82) and data[begin + 3] == 95:  # ISR_
        begin += 4
    if end - begin >= NAME:
        return -1
    for index in range(names.shape[0]):
        place = 0
        while begin + place < end and _upper(data[begin + place]) == names[index, place]:
            place += 1
        if begin + place == end and names[index, place] == 0:
            return index
    return -1


@njit(cache=True, error_model="numpy")
def _aim(data, starts, ends, words, row, bounds, names, places, codes):
    channels, banks, rows, columns = bounds[0], bounds[1], bounds[2], bounds[3]
    index = _operation(data, starts[1], ends[1], names)
    if index < 0:
        return False
    code = codes[index]
    row[0] = code
    for place in range(words - 2):
        field = places[index, place]
        value = _number(data, starts[place + 2], ends[place + 2])
        if field < 0 or value < 0:
            return False
        if field == _OPSIZE:
            most = 1 << 40 if code == _EWADD else columns
            if not 1 <= value <= most:
                return False
            row[1] = 1 if code == _EWADD else value
        elif field == _MASK:
            if not 1 <= value < 1 << channels:
                return False
            row[2] = value
        elif field == _BANK:
            if value >= banks:
                return False
            row[3] = value
        elif field == _ROW:
            if value >= rows:
                return False
            row[4] = value
    return places[index, words - 2] < 0


@njit(cache=True, error_model="numpy")
def _access(data, starts, ends, words, row, bounds, write):
    if _is(data, starts[1], ends[1], 77, 69, 77):  # MEM
        if words != 5:
            return False
        channel = _number(data, starts[2], ends[2])
        bank = _number(data, starts[3], ends[3])
        line = _number(data, starts[4], ends[4])
        row[0] = _WRITE if write else _READ
        if not (0 <= channel < bounds[0] and 0 <= bank < bounds[1] and 0 <= line < bounds[2]):
            return False
        row[2] = 1 << (bounds[0] - 1 - channel)
        row[3] = bank
        row[4] = line
        return True
    if _is(data, starts[1], ends[1], 71, 80, 82):  # GPR
        row[0] = _HOST
        return words == 3 and _number(data, starts[2], ends[2]) >= 0
    if not _is(data, starts[1], ends[1], 67, 70, 82) or words != 3 + write:  # CFR
        return False
    register = _number(data, starts[2], ends[2])
    if not 0 <= register <= ACTIVATION_FUNCTION:
        return False
    row[0] = _HOST
    if write:
        value = _number(data, starts[3], ends[3])
        row[0], row[3], row[4] = _CFR, register, value
        return value >= 0 and (register != ACTIVATION_FUNCTION or value < ACTIVATION_FUNCTIONS)
    return True


@njit(cache=True, error_model="numpy")
def _number(data, begin, end):
    """Value of a word in decimal or 0x hexadecimal; -1 if it is not a number."""
    base = 10
    if end - begin > 2 and data[begin] == 48 and (data[begin + 1] == 120 or data[begin + 1] == 88):
        base = 16
        begin += 2
    if end - begin > 15:
        return -1
    value = 0
    for at in range(begin, end):
        byte = np.int64(_upper(data[at]))
        digit = byte - 48 if 48 <= byte <= 57 else byte - 55 if base == 16 and 65 <= byte <= 70 else -1
        if digit < 0:
            return -1
        value = value * base + digit
    return value
