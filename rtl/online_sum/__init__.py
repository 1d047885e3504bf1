"""Running maximum and sum of exponentials, one value at a time: what softmax in a single pass is made of."""
