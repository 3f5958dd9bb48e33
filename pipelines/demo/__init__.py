"""`maskgen demo`: masks and lists of a built-in sample."""
