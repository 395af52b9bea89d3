"""Ask the compilers of other Pythons: the only code that starts interpreters. They never run a source."""
