"""Any bytes at all for header and reader: `python -m fuzz --seconds 60`."""
