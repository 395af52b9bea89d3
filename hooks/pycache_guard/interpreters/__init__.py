"""Start other Python interpreters and use them as compilers. They never run a source."""
