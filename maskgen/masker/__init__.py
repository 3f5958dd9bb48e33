"""From photographs to masked faces: settings, the masker, its results."""
