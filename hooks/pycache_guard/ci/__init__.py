"""What a run in a CI system has to check, and the three checks side by side."""
