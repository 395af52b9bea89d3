"""Read untrusted archives as streams, within limits, without extracting anything."""
