"""Compiled loops over the pixels of a mask: their memory, and the call; see `docs/decisions/rendering.md`."""
