"""GELU as the rectifier less a small bell, which a short table holds."""
