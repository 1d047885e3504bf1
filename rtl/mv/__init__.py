"""Values of attention: recomputed probabilities times values in the skewed order."""
