"""The job of `check-dist`: find bytecode in an archive, and say which backend put it there.

`scan` goes through the members; `members` compares bytecode with its source by header, and `compare`
by its code; `metadata` reads the list of files of a wheel, and knows the setting of each backend.
"""
