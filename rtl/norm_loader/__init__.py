"""Weights and biases of layer norms, from memory to the unit that applies them."""
