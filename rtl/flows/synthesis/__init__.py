"""Resources and speed of blocks on FPGAs, by open tools; and the results that are kept."""
