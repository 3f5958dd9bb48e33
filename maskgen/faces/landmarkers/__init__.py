"""Landmark models other than dlib's, and all of them by name."""
