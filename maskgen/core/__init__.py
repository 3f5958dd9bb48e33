"""Shared by all parts of maskgen: records, reasons, seeding and image files."""
