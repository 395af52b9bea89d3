"""Files and directories on disk: walk without following links, read, and replace files atomically."""
