"""Occluders in front of a mask: hair and glasses, segmented by colour models of the photograph itself."""
