"""The three steps of a request over a store: split, paint each chunk, assemble. Each can be run again at any time."""
