"""PIM-GPT's ASIC: adders and multipliers for everything that is not a matrix-vector product."""
