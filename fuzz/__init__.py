"""Any bytes at all for what reads them: `python -m fuzz --seconds 600`, as CONTRIBUTING.md says."""
