"""From memory beats to the weights and biases of the linear unit, loaded while others are read."""
