"""Row-wise attention against float64: patterns on cores, inputs of many kinds, plain and with a running maximum."""
