"""What blocks take on FPGAs and how fast they run there, by open tools; and the results that are kept."""
