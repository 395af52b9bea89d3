"""What is known of Dockerfiles and compose files: bytes in, values out, no I/O."""
