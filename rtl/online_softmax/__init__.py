"""Softmax in a single pass over scores that come in the skewed order of reordered attention."""
