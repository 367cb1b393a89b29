"""Who may ask for how much: partners' keys, plans, usage, and requests that are made twice."""
