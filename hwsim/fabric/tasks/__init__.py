"""What a unit does at one call as a task: made from its contract, a file a unit.

On ideal ports, where every beat to read is there and every beat to write is taken, a task takes as many cycles as the
contract says: from the cycle in which its first input is taken to the one in which its last output is delivered. Where
a contract counts a command, the task's first cycle is that of the command.

A depth that a contract splits in two pieces around a FIFO is split here as it must be under a task's rules: what is put
into a FIFO in one cycle leaves it in the next one at the earliest.
"""
