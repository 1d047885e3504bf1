"""Elastic mode as a block diagram that SimPy runs, with the real memory: the reference of the compiled player.

`wiring.py` is the diagram, `stages.py` its stages, `load.py` the first of them, `dma.py` the engines between it and the
memory. `itinerary.py` says what each has to do, and `player.py` is all of it as an object.
"""
