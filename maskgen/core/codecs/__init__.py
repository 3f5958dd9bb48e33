"""What single picture formats need beyond decoding."""
