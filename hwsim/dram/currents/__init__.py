"""Data sheet currents of DRAM standards, and the energy of a play by them."""
