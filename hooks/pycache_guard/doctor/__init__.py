"""Diagnose bytecode caching on this machine and in this repository: facts and findings."""
