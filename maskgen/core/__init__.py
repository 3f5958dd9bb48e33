"""What every other part of maskgen shares: records, reasons, seeding and image files."""
