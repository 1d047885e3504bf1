"""cocotb test modules: what runs inside the simulator."""
