"""The multiply-accumulate unit that sits at each DRAM bank of PIM-GPT."""
