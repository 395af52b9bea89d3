"""The use case of `verify-bytecode`: tell whether each bytecode file comes from its source.

`disk_store` and `index_store` say what there is; `screening` judges by name and header; `comparing`
has sources compiled and compares; `verdicts` puts it into findings.
"""
