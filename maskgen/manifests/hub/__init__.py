"""A folder that can be put on a hub of data sets as it is: Parquet, a card, Croissant metadata."""
