"""Small networks that look at an aligned face and say one thing of it."""
