"""Public benchmarks of (masked) face recognition, one file each: where to get it, how it lies on disk, its protocol."""
