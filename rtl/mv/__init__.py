"""Values of attention: recomputed probabilities against values in the skewed order."""
