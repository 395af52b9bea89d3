"""How bytecode stands on this machine and in this repository: facts, and what is wrong with them."""
