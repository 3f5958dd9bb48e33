"""Drawn people with far more variety than a sample needs: what a network of landmarks learns from."""
