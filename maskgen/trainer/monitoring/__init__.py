"""Monitoring of a training run: evaluation, history, curves, collapse detection."""
