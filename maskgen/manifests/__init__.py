"""Manifests: training lists and evaluation pairs."""
