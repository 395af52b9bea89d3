"""The proof that bytecode is ignored: probes, explanations, and the fix."""
