"""The compiled part of `scanner.scan`."""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.random_access.masters import MOST
from hwsim.dram.random_access.requests import NO_ARRIVAL
from hwsim.dram.random_access.scanner import MOST_WORDS, NOTHING, Found

MOST_DIGITS = 15
NEWLINE, HASH, AT, SPACE, COMMA, TAB, RETURN, ZERO, NINE, X, A, F = (ord(c) for c in "\n#@ ,\t\r09XAF")
# Words as `_letters` reads them.
LD, ST, CH, BA, RO, CO, READ, WRITE = (
    int.from_bytes(b"\x01" + word, "big") for word in (b"LD", b"ST", b"CH", b"BA", b"RO", b"CO", b"READ", b"WRITE")
)


@compiled
def scan(data, words, sizes, wrap, last, out, ended):
    """Read whole lines; return the number of requests.

    Parameters
    ----------
    data : bytes that end with a newline
    words : (MOST_WORDS, 2) room for the beginnings and ends of a line's words
    sizes : the limits of ADDRESS and the columns after it
    wrap : whether numbers beyond a limit are taken modulo it
    last : (1,) the last arrival, before and after
    out : (n, len(Found)) for the requests
    ended : (2,) filled with the lines read, and whether it stopped at the next because that is wrong
    """
    count, line, at = 0, 0, 0
    while at < data.size:
        found = 0
        while data[at] != NEWLINE and data[at] != HASH:
            if _blank(data[at]):
                at += 1
                continue
            begin = at
            while data[at] != NEWLINE and data[at] != HASH and not _blank(data[at]):
                at += 1
            if found < MOST_WORDS:
                words[found, 0] = begin
                words[found, 1] = at
            found += 1
        while data[at] != NEWLINE:  # a comment
            at += 1
        if found:
            if not _read_line(data, words, found, sizes, wrap, last[0], out[count]):
                ended[0], ended[1] = line, 1
                return count
            last[0] = max(last[0], out[count, Found.ARRIVAL])
            count += 1
        line += 1
        at += 1
    ended[0], ended[1] = line, 0
    return count


@inlined
def _read_line(data, words, found, sizes, wrap, last, row):
    """Fill a row from the words of a line; returns whether they are a request."""
    if found < 2 or found > MOST_WORDS:
        return False
    kind = _letters(data, words[0, 0], words[0, 1])
    address_first = kind not in (LD, ST)
    arrival_at, arrives = found - 1, False
    if address_first:
        kind = _letters(data, words[1, 0], words[1, 1])
        if found != 3 or not _is_hexadecimal(data, words[0, 0], words[0, 1]) or kind not in (READ, WRITE):
            return False
        arrives = True
    elif data[words[arrival_at, 0]] == AT:
        arrives = True
        words[arrival_at, 0] += 1
    row[Found.WRITE] = kind in (ST, WRITE)
    row[Found.ARRIVAL] = NO_ARRIVAL
    if arrives:
        arrival = _number(data, words[arrival_at, 0], words[arrival_at, 1])
        if arrival < last or arrival > MOST:
            return False
        row[Found.ARRIVAL] = arrival
    named = 1 if address_first else found - 1 - arrives
    if named == 1:
        word = 0 if address_first else 1
        address = _within(_number(data, words[word, 0], words[word, 1]), sizes[0], wrap)
        row[Found.ADDRESS] = address
        return address >= 0
    return named == 4 and _read_place(data, words, sizes, wrap, row)


@inlined
def _read_place(data, words, sizes, wrap, row):
    row[Found.ADDRESS] = NOTHING
    for part in range(4):
        begin, end = words[part + 1, 0], words[part + 1, 1]
        prefix = CH if part == 0 else BA if part == 1 else RO if part == 2 else CO
        if end - begin < 3 or _letters(data, begin, begin + 2) != prefix:
            return False
        number = _within(_number(data, begin + 2, end), sizes[part + 1], wrap)
        if number < 0:
            return False
        row[Found.CHANNEL + part] = number
    return True


@inlined
def _within(number, size, wrap):
    """A number below a limit, or taken modulo it; else NOTHING."""
    if number >= size:
        return number % size if wrap else NOTHING
    return number


@inlined
def _blank(byte):
    return byte in (SPACE, COMMA) or TAB <= byte <= RETURN


@inlined
def _upper(byte):
    return byte - 32 if 97 <= byte <= 122 else byte


@inlined
def _letters(data, begin, end):
    """A 1 and the letters of a short word in upper case, a byte each; NOTHING if it is longer than any that counts."""
    if end - begin > 5:
        return NOTHING
    value = 1
    for at in range(begin, end):
        value = value << 8 | int(_upper(data[at]))
    return value


@inlined
def _is_hexadecimal(data, begin, end):
    return end - begin > 2 and data[begin] == ZERO and _upper(data[begin + 1]) == X


@inlined
def _number(data, begin, end):
    """Value of a word in decimal or 0x hexadecimal; NOTHING if it is not a number."""
    hexadecimal = _is_hexadecimal(data, begin, end)
    first = begin + 2 if hexadecimal else begin
    if not 1 <= end - first <= MOST_DIGITS:
        return NOTHING
    value = 0
    for at in range(first, end):
        byte = int(_upper(data[at]))
        if ZERO <= byte <= NINE:
            digit = byte - ZERO
        elif hexadecimal and A <= byte <= F:
            digit = byte - A + 10
        else:
            return NOTHING
        value = value * (16 if hexadecimal else 10) + digit
    return value
