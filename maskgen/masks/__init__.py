"""Masks as sheets in three dimensions on a mean head, drawn into a picture."""
