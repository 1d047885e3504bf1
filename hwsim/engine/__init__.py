"""What a machine is made of: clocks, units with ports, channels and arbiters between them, a trace, a timeline.

Names are imported from the file that has them: reports and parameters need `clock`, `unit_spec` and `timeline`, and
do not wait for SimPy.
"""
