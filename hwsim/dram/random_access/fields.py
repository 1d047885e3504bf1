"""What the arrays of a memory hold, place by place and column by column (`state.Memory`)."""

from __future__ import annotations

from enum import IntEnum

from hwsim.dram.random_access.address import DigitColumn

NOBODY = -1  # no entry, no ticket, no command
LATENCY_BINS = 1 << 11  # cycles; longer latencies are listed one by one
DIGIT_SHIFT = len(DigitColumn)  # column of `Memory.digits`: log2 of a digit's size, or NOBODY if it is none


class Stop(IntEnum):
    """Why playing stopped (`kernel.play`)."""

    FULL = 0  # what is handed over must be collected first
    MORE_RUNS = 1  # the first master's next run decides about this cycle
    REACHED = 2
    DONE = 3  # nothing waits
    COMPLETED = 4  # a completion is known


class Logged(IntEnum):
    """Columns of the log of commands."""

    CHANNEL = 0
    CYCLE = 1
    COMMAND = 2
    BANK = 3
    ROW = 4
    COLUMN = 5


class Arbitration(IntEnum):
    """`masters.Policy`, as the kernel knows it."""

    ROUND_ROBIN = 0
    PRIORITY = 1
    OLDEST = 2


class RowPolicy(IntEnum):
    """`parameters.RowPolicy`, as the kernel knows it."""

    OPEN = 0
    OPEN_ADAPTIVE = 1
    CLOSED_ADAPTIVE = 2
    CLOSED = 3


class Host(IntEnum):
    """Places in `Memory.host`."""

    CYCLE = 0  # everything before it has happened
    FINISH = 1
    FORWARDED = 2
    MERGED = 3
    TAKEN = 4  # accesses that entered a queue
    LAST = 5  # the master from which an access was taken last
    TAKEN_NOW = 6
    TAKING = 7  # whether the accesses of this cycle are being taken
    COMPLETED = 8  # rows of `completions`
    LONG = 9  # rows of `long_latencies`
    LOGGED = 10  # rows of `log`
    RELEASES = 11  # rows of `releases`
    FREE_TICKETS = 12
    STEPS = 13
    TICKETS = 14
    SKIPPED = 15  # accesses that were taken without a step
    RECENT = 16  # rows of `recent`


class Limit(IntEnum):
    """Places in `Memory.limits`."""

    READ_QUEUE = 0
    WRITE_QUEUE = 1
    WRITE_HIGH = 2
    WRITE_LOW = 3
    MOST_WRITES = 4
    LEAST_READS = 5
    BYPASS_CAP = 6
    ROW_POLICY = 7
    ROW_CAP = 8
    WIDTH = 9
    ARBITRATION = 10
    COLUMN_BYTES = 11


class Asking(IntEnum):
    """Columns of `Memory.masters`: limits, then what a master has under way, then its first access."""

    OUTSTANDING = 0
    WIDTH = 1
    EVERY = 2
    UNDER_WAY = 3  # accesses that were taken and are not complete, where OUTSTANDING limits them
    NEXT_OFFER = 4
    TAKEN_NOW = 5
    SINCE = 6
    HEAD = 7  # place of its first run in `runs`
    RUNS = 8
    BEAT = 9  # of the first run, then the access within the beat
    PART = 10
    TICKET = 11  # row of `tickets` to which its next access belongs, or NOBODY
    KNOWN = 12  # whether the place of its first access is known
    PARTS = 13  # accesses of the beat
    CHANNEL = 14
    BANK = 15
    ROW = 16
    COLUMN = 17
    BLOCK = 18
    TAKEN = 19  # accesses that were taken
    DONE = 20  # runs that were wholly taken


class RunField(IntEnum):
    """Columns of `Memory.runs`."""

    WRITE = 0
    ADDRESS = 1
    STRIDE = 2
    COUNT = 3
    SIZE = 4
    ARRIVAL = 5
    TICKET = 6  # NOBODY if nobody wants to know
    BEATS = 7  # whether each beat has a completion of its own
    TIMED = 8  # whether latency counts from the arrival too


class Channel(IntEnum):
    """Columns of `Memory.channels`; of a pair, the first is for reads and the second for writes."""

    WRITING = 0
    SERVED = 1
    WAKE = 2
    FREE = 3  # first free entry
    OPENED = 4  # entries whose row was opened for them
    NEXT_DUE = 5  # when the next refresh falls due
    REFRESHING = 6  # ranks that a refresh keeps waiting
    LENGTH = 7
    BYPASSED = 9
    OLDEST = 11
    NEWEST = 13
    BANKS = 15  # banks with entries
    KINDS = 17  # accesses that were hits, misses and conflicts


CHANNEL_FIELDS = 20


class Entry(IntEnum):
    """Columns of `Memory.entries`."""

    WRITE = 0
    BANK = 1
    ROW = 2
    COLUMN = 3
    BLOCK = 4
    AGE = 5
    TAKEN = 6
    ARRIVAL = 7  # NOBODY where latency does not count from it
    KIND = 8
    OPENED = 9
    MASTER = 10
    TICKET = 11
    INDEX = 12  # number of the access among those of its master
    OLDER = 13  # neighbours in the queue
    YOUNGER = 14
    NEXT = 15  # the next younger in its bank
    BEFORE = 16
    READY = 17  # its access cannot be issued before this cycle, once its row was opened for it


class Waiting(IntEnum):
    """Columns of `Memory.waiting`: the entries of a queue for one bank."""

    FIRST = 0
    LAST = 1
    COUNT = 2
    HIT = 3  # the oldest entry for the open row
    PLACE = 4  # where the bank is listed in `listed`
    READY = 5  # no command for it can be issued before this cycle; 0 if that is not known


class Bank(IntEnum):
    """Columns of `Memory.banks`."""

    OPENED = 0  # the entry for which the row was opened, while it waits
    USED = 1  # accesses since the row was opened
    HELD = 2  # whether a refresh keeps it waiting
    ACCESSES = 3
    ACTIVATES = 4
    OPENED_AT = 5


class Rank(IntEnum):
    """Columns of `Memory.ranks`."""

    DUE = 0
    REFRESHES = 1
    HOLDS = 2  # whether the refresh has fallen due
    OPEN_BANKS = 3
    OPEN_SINCE = 4
    OPEN_CYCLES = 5
    OPEN_UNTIL = 6  # the latest end of a row, which may lie in the future; OPEN_CYCLES lacks the time up to there
    BANK_CYCLES = 7  # of each row that was closed, from opening to end; of each still open, less the cycle of opening


class Refreshing(IntEnum):
    """Places in `Memory.refresh`."""

    COMMAND = 0  # NOBODY without refresh
    CLOSE = 1
    INTERVAL = 2
    TURNS = 3
    WHOLE = 4  # whether one CLOSE closes all banks of a refresh


class Ticket(IntEnum):
    """Columns of `Memory.tickets`: accesses that complete together."""

    TICKET = 0
    BEAT = 1
    REMAINING = 2  # accesses that are not issued
    FINISH = 3


# Places in `Memory.commands`: reads and writes, those that close their row, then these.
READ, READ_AUTO, ACTIVATE, PRECHARGE = 0, 2, 4, 5
