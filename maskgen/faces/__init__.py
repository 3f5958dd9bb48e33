"""Find faces and their points in photographs, and cut them out upright."""
