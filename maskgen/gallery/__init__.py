"""Galleries of real people: bare faces to enrol, masked faces as probes."""
