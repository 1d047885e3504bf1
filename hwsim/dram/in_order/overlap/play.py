"""The fast player of overlapped programs: the rules of `reference.py` beside it, compiled by numba.

Accesses of one row advance in closed form (`burst.py`). Channels of equal state and program are played once.

Everywhere `s` is the channels' state, `r` the rules, `c` a channel, `f` the flow of its program and `page` its ledger.
"""

from __future__ import annotations

from hwsim.dram.device.bank_state import note
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import Fact
from hwsim.dram.in_order.arguments import player_of
from hwsim.dram.in_order.causes import Cause, Cursor, charge_wait
from hwsim.dram.in_order.classes import members, regroup
from hwsim.dram.in_order.issue import issue_run, name_bank, open_or_close, refresh_all
from hwsim.dram.in_order.ledger import NOT_NAMED, Count, Run, add_page, begin_page, keep_slowest, log_run
from hwsim.dram.in_order.overlap.burst import burst_length
from hwsim.dram.in_order.overlap.choose import choose
from hwsim.dram.in_order.overlap.flow import At, Flow
from hwsim.dram.in_order.overlap.plan import OUTSIDE, Part, Plan, Segment
from hwsim.dram.in_order.overlap.planning import plan_of
from hwsim.dram.in_order.overlap.streams import Data, Stream, Streams


@compiled
def play_overlapped(player, streams, plan, progress, program_of, row_base, start, ready, since, drained):
    """Play one program a channel; return the finish cycle of the last and the first cycle after every issue.

    `player` holds channels, rules and ledger, `progress` the arrays of a flow (`arguments.plain`). The cycles by cause
    of the slowest channel count from `since` on. `drained` receives the completion of each drain, a row a channel.
    """
    s, r, ledger = player_of(player)
    streams, plan = Streams(*streams), Plan(*plan)
    regroup(s, max(r.tables.reach, streams.fill_to_compute, streams.compute_to_fill), program_of, start)
    finish, free = start - 1, start
    for c in range(s.class_of.size):
        if s.class_of[c] != c:
            continue
        f = _begin(plan, program_of[c], streams, progress, drained[c], row_base, start, max(ready, start))
        begin_page(ledger.page, since, Cause.IO)
        done = _play_channel(s, r, c, f, ledger.page)
        add_page(ledger, members(s, c))
        _share(s, c, drained)
        free = max(free, s.banks.last_issue[c] + 1)
        if done > finish:
            finish = done
            keep_slowest(ledger)
    return finish, free


@inlined
def _begin(plan, program, streams, progress, drained, row_base, start, ready):
    """A program of which nothing is played yet."""
    at, access_at, fill_at = progress
    at[:] = 0
    first, last = plan.offsets[program], plan.offsets[program + 1]
    return Flow(
        plan_of(plan, program),
        streams,
        at,
        access_at[: last[Part.ACCESS] - first[Part.ACCESS]],
        fill_at[: last[Part.FILL] - first[Part.FILL]],
        drained,
        row_base,
        start,
        ready,
    )


@inlined
def _share(s, c, drained):
    """Give the channels that a channel stands for its completions."""
    for other in range(c + 1, s.class_of.size):
        if s.class_of[other] == c:
            for drain in range(drained.shape[1]):
                drained[other, drain] = drained[c, drain]


@compiled
def _play_channel(s, r, c, f, page):
    """Play one program; return its finish cycle."""
    finish = f.start
    while f.at[At.ACCESS] < f.access_at.size or f.at[At.FILL] < f.fill_at.size or f.at[At.DRAIN] < _drains(f):
        choice = choose(s, r, c, f)
        if choice.cycle >= s.due[c]:
            refresh_all(s, r, c, page)
            f.at[At.REFRESHED] = 1
        elif choice.stream != Stream.ACCESS:
            finish = max(finish, _transfer(s, r, c, f, choice, page))
        elif choice.step != f.plan.segments[f.at[At.SEGMENT], Segment.COMMAND]:
            _prepare_row(s, r, c, f, choice, page)
        else:
            finish = max(finish, _access(s, r, c, f, choice, page))
    _remember(s, c, f)
    charge_wait(page.causes, page.cursor, finish, Cause.IO if f.at[At.TRANSFERRED] else page.cursor[Cursor.CAUSE])
    return finish


@inlined
def _drains(f):
    return f.plan.drain_access.size


@inlined
def _transfer(s, r, c, f, choice, page):
    """Issue a fill or a drain; return its completion."""
    command = f.streams.drain if choice.stream == Stream.DRAIN else f.streams.fill
    done = choice.cycle + r.tables.commands[command, Fact.DURATION]
    note(s.banks, r.tables, c, command, 0, choice.cycle)
    if choice.stream == Stream.DRAIN:
        f.drained[f.at[At.DRAIN]] = done
        f.at[At.DRAIN] += 1
    else:
        f.fill_at[f.at[At.FILL]] = choice.cycle
        f.at[At.FILL] += 1
    f.at[At.TRANSFERRED] = 1
    page.issues[command] += 1
    page.counts[Count.STEPS] += 1
    log_run(page, c, choice.cycle, Run(command, NOT_NAMED, NOT_NAMED, NOT_NAMED, 1, 0, 1, 1))
    return done


@inlined
def _prepare_row(s, r, c, f, choice, page):
    """Close or open a row for the next access."""
    segment = f.plan.segments[f.at[At.SEGMENT]]
    charge_wait(page.causes, page.cursor, choice.cycle, Cause.REFRESH if f.at[At.REFRESHED] else Cause.ROW)
    row = segment[Segment.ROW] + f.row_base
    open_or_close(s, r, c, choice.step, segment[Segment.BANK], row, choice.cycle, page)
    f.at[At.OPENED] = 1


@compiled
def _access(s, r, c, f, choice, page):
    """Issue as many accesses of a row as nothing can come between; return the completion of the last."""
    segment = f.plan.segments[f.at[At.SEGMENT]]
    command, bank = segment[Segment.COMMAND], segment[Segment.BANK]
    run = Run(
        command,
        name_bank(s, r, command, bank),
        segment[Segment.ROW] + f.row_base,
        segment[Segment.COLUMN],
        segment[Segment.COLUMNS],
        f.at[At.POSITION],
        burst_length(s, r, c, f, choice),
        r.tables.commands[command, Fact.SPACING],
    )
    charge_wait(page.causes, page.cursor, choice.cycle, _cause_of_wait(f, choice, r.cause[command]))
    done = issue_run(s, r, c, bank, choice.cycle, run, f.at[At.OPENED] != 0, page)
    _advance(f, choice.cycle, run, segment[Segment.ISSUES])
    return done


@inlined
def _cause_of_wait(f, choice, cause):
    """What an access waited for, if it waited longer than for the last one's slot."""
    if f.at[At.REFRESHED]:
        return Cause.REFRESH
    if choice.late or (f.at[At.TRANSFERRED] and not f.at[At.OPENED]):
        return Cause.IO
    return Cause.ROW if f.at[At.OPENED] else cause


@inlined
def _advance(f, cycle, run, segment_issues):
    """Note when a run of accesses was issued, and go to the next."""
    for i in range(run.issues):
        f.access_at[f.at[At.ACCESS] + i] = cycle + i * run.spacing
    f.at[At.ACCESS] += run.issues
    f.at[At.POSITION] += run.issues
    if f.at[At.POSITION] == segment_issues:
        f.at[At.POSITION] = 0
        f.at[At.SEGMENT] += 1
    f.at[At.OPENED] = 0
    f.at[At.REFRESHED] = 0
    f.at[At.TRANSFERRED] = 0


@inlined
def _remember(s, c, f):
    """Keep the last fill and the last access that computed, for the program that comes next."""
    if f.fill_at.size > 0:
        s.data_issues[c, Data.FILL] = f.fill_at[f.fill_at.size - 1]
    access = f.access_at.size - 1
    while access >= 0 and f.plan.access_fill[access] == OUTSIDE:
        access -= 1
    if access >= 0:
        s.data_issues[c, Data.COMPUTE] = f.access_at[access]
