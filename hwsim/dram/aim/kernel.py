"""The fast player: the reference's rules compiled by numba, an instruction at a time instead of a cycle.

Three shortcuts, all exact. AiM requests are served in order, so their times are known when the host decodes them. The
columns of an instruction after the first advance in closed form (`instruction_kernel.py`). Channels that every
instruction so far has treated alike are one class, played once; an instruction that treats them differently splits the
class by copying its state. Only ordinary reads and writes are played event by event (`ordinary_kernel.py`).

In all these files `s` are the `Channels`, `t` the `AimTables`, `c` the class, and `log` the `CommandLog`.
"""

from __future__ import annotations

from hwsim.dram.aim.instruction_kernel import pass_barrier, serve_instruction
from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, CODES, Column
from hwsim.dram.aim.ledger import LOG_MARGIN
from hwsim.dram.aim.ledger_kernel import charge_barrier
from hwsim.dram.aim.ordinary_kernel import holds, take
from hwsim.dram.aim.refresh_kernel import catch_up
from hwsim.dram.aim.state import Control, Host
from hwsim.dram.aim.tables import Does
from hwsim.dram.device.compiled import compiled, inlined

_SET_REGISTER, _ACTIVATE_FUNCTION, _READ = CODES["WR_CFR"], CODES["AF"], CODES["RD_SBK"]


@compiled
def play(s, t, host, log, program, begin):
    """Play instructions from `begin` on; return the next one to play (not the end if the log must be emptied first)."""
    for index in range(begin, program.shape[0]):
        room = log.entries.shape[0]
        if room > 0 and log.written[0] + LOG_MARGIN > room:
            return index
        host[Host.CLOCK] = _play_one(s, t, host, log, program[index]) + 1
    return program.shape[0]


@inlined
def _play_one(s, t, host, log, instruction):
    """Play an instruction; return when the host is done with it."""
    code, now = instruction[Column.OPERATION], host[Host.CLOCK]
    if code == _SET_REGISTER and instruction[Column.BANK] == ACTIVATION_FUNCTION:
        host[Host.FUNCTION] = instruction[Column.ROW]
    _catch_up_idle(s, t, host, log, now - 1)
    done = now
    if t.operations[code, Does.BARRIER]:
        done = _wait_for_all(s, t, host, log, now)
    elif t.operations[code, Does.COMMAND] >= 0:
        _split(s, host, instruction[Column.MASK])
        done = _send(s, t, host, log, now, instruction)
    return done


@inlined
def _catch_up_idle(s, t, host, log, until):
    """Refresh channels now and then, so that no instruction finds many overdue refreshes."""
    for c in range(host[Host.CLASSES]):
        if not holds(s, c):
            catch_up(s, t, c, log, until)


@inlined
def _wait_for_all(s, t, host, log, now):
    """Send a barrier to all channels; return when the last has answered."""
    done = now
    for c in range(host[Host.CLASSES]):
        done = max(done, pass_barrier(s, t, c, log, now))
    for c in range(host[Host.CLASSES]):
        catch_up(s, t, c, log, done)
        charge_barrier(s.ledger, c, done)
    return done


@inlined
def _send(s, t, host, log, now, instruction):
    """Send an instruction to the channels that it selects; return when the host may go on."""
    code, bank, row = instruction[Column.OPERATION], instruction[Column.BANK], instruction[Column.ROW]
    if code == _ACTIVATE_FUNCTION:
        row = t.rows + host[Host.FUNCTION]
    done = now
    for c in range(host[Host.CLASSES]):
        if not s.control[c, Control.MEMBERS] & instruction[Column.MASK]:
            continue
        if t.operations[code, Does.ORDINARY]:
            accepted = take(s, t, c, log, now, t.operations[code, Does.COMMAND], code == _READ, bank, row)
        else:
            accepted = serve_instruction(s, t, c, log, now, code, instruction[Column.OPSIZE], bank, row)
        done = max(done, s.control[c, Control.LAST_ANSWER] if t.operations[code, Does.BLOCKING] else accepted)
    return done


@inlined
def _split(s, host, mask):
    """Split the classes of which the mask selects some members but not all."""
    for c in range(host[Host.CLASSES]):
        members = s.control[c, Control.MEMBERS]
        if members & mask and members & ~mask:
            new = host[Host.CLASSES]
            _copy(s, c, new)
            s.control[c, Control.MEMBERS] = members & mask
            s.control[new, Control.MEMBERS] = members & ~mask
            host[Host.CLASSES] = new + 1


@compiled
def _copy(s, c, new):
    """Copy the state of a class."""
    _copy_row(s.control, c, new)
    _copy_row(s.left, c, new)
    _copy_row(s.lengths, c, new)
    for queue in range(s.lengths.shape[1]):
        for i in range(s.lengths[c, queue]):
            for k in range(s.waiting.shape[3]):
                s.waiting[new, queue, i, k] = s.waiting[c, queue, i, k]
    for node in range(s.banks.allowed.shape[1]):
        for command in range(s.banks.allowed.shape[2]):
            s.banks.allowed[new, node, command] = s.banks.allowed[c, node, command]
    _copy_row(s.banks.open_rows, c, new)
    s.banks.common_row[new] = s.banks.common_row[c]
    s.banks.open_banks[new] = s.banks.open_banks[c]
    s.banks.last_issue[new] = s.banks.last_issue[c]
    _copy_row(s.ledger.totals, c, new)
    _copy_row(s.ledger.issues, c, new)
    _copy_row(s.ledger.cycles, c, new)


@inlined
def _copy_row(array, c, new):
    for i in range(array.shape[1]):
        array[new, i] = array[c, i]
