"""What: pure knowledge of bytecode. Text and bytes in, values out, no I/O."""
