"""Each promise of speed as a ratio against a named peer, in one run: `python -m benchmarks`."""
