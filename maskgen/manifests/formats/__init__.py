"""Manifests in other projects' formats, one module a format."""
