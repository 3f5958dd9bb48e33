"""Landmark models beside dlib's."""
