"""What the compiled player answers when no task has ended."""

STUCK, FULL = -1, -2
