"""PIM-GPT's ASIC: adders and multipliers that do all that is not a matrix-vector product."""
