"""The command line: one file a group; each command reads its input, calls one verb and shows the result."""
