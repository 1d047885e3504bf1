"""The loads of rows of Q, K and V into the cores, a row of a head at a time."""
