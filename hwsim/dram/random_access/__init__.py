"""Plain memory: reads and writes at addresses through an open-page FR-FCFS controller."""
