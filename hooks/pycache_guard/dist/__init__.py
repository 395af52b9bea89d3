"""The use case of `check-dist`: which members of an archive are bytecode, and who put them there.

`screening` goes through the members; `origin` compares bytecode with the source in the archive;
`record` reads a wheel's list of files; `backends` knows the setting that keeps bytecode out.
"""
