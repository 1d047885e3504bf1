"""Matrix-vector tiles: `in_lanes` x `out_lanes` multiply-accumulates a cycle."""
