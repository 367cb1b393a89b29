"""One module for each algorithm: its VERSION, and `run(input, call)`, which gives its result."""
