"""The unified linear unit: a tile of multiply-accumulates with its reader, weight buffers and writer."""
