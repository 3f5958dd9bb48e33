"""Checks of manifests: missing files, wrong labels, leaks between splits."""
