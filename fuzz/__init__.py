"""Fuzz targets for every parser: `python -m fuzz --seconds 600`, see CONTRIBUTING.md."""
