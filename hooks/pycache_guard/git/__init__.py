"""Where: the only code that starts git."""
