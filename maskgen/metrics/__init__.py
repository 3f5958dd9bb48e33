"""Recognition metrics on distances: thresholds, curves, error rates, ranks."""
