"""Columns of catalogues with millions of rows, read batch by batch."""
