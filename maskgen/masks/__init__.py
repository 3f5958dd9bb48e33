"""Masks as three-dimensional surfaces on a mean head, rendered into a picture."""
