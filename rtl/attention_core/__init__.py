"""A core of row-wise attention: it holds a row of K and one of V, and computes a score, its exp, and V times it."""
