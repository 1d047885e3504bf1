"""GELU as the rectifier minus a small bell, which fits a short table."""
