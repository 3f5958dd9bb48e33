"""A folder for a dataset hub: Parquet, a card, Croissant metadata."""
