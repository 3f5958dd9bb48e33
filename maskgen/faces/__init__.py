"""Face detection, choice of the face, landmarks and alignment."""
