"""Edge-MoE's blocks without one of its techniques: contracts alone, of designs that are ours and have no RTL."""
