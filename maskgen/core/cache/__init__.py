"""The cache folder, and small files in it."""
