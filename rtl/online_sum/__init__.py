"""Running maximum and sum of exponentials, one value at a time: the core of softmax in a single pass."""
