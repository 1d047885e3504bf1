"""A memory on an FPGA that one side fills while another reads."""
