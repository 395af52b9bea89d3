"""Read archives that nobody vouches for: by streaming, within limits, and nothing is ever extracted."""
