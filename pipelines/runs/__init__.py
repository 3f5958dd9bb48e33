"""A run on disk and the work on one shard: run folder, lock, shards, attempts, records, outputs."""
