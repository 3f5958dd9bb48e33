"""Photographs in tar files: members read, people found, tars written."""
