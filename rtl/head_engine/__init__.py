"""A multiply-accumulate tile for each head of attention, shared by all matrices."""
