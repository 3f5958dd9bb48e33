"""Occluders in front of a mask: hair, hands, things and glasses, found by a network that learned from drawn people."""
