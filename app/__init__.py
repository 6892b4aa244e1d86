"""The shell: one server, one way to read, one way to act, and the parts that pages are built from."""
