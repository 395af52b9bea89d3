"""Where, on disk: go down a directory tree and never through a link.

There are two ways down. `descriptors` holds every directory by a file descriptor, so that one who
swaps a directory for a link meanwhile gains nothing. `paths` is for platforms whose system calls take
no directory descriptor (Windows): it looks before each step, and there is a moment between look and
step.
"""
