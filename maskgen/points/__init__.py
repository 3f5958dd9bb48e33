"""Faces that somebody marked before: boxes and points from a file, used in place of a search."""
