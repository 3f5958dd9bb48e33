"""How well distances tell the same person from another: thresholds, curves, errors, ranks."""
