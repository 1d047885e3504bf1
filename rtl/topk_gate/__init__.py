"""The gate of a mixture of experts: logits, their softmax, the best k, and a queue of tokens for each expert."""
