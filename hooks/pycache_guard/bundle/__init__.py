"""The job of `check-bundle`: check whether the target Python uses the bytecode that a bundle ships.

`target` is the Python that the bundle is for; `tree` and `members` list a directory and an archive;
`judge` applies the rules of import to each module, `zip_rules` those of `zipimport`; `check` puts these
together; `fix` writes what is missing.
"""
