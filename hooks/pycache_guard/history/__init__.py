"""Check what every commit of a range adds, by path and by content."""
