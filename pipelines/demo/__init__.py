"""`maskgen demo`: all steps on a built-in sample."""
