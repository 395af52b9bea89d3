"""Every commit of a range: what it brings in, judged by path and by content."""
