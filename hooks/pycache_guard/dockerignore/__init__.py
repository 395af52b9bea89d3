"""Find Docker build contexts, and check and complete their ignore files."""
