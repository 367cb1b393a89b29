"""Video: probe, cut, decode, encode, deliver, verify."""
