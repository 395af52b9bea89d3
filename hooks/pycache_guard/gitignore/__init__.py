"""The proof that bytecode is ignored: what is asked, what the answers mean, what completes them."""
