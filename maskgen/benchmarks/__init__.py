"""Public benchmarks of (masked) face recognition, one file each: source, layout on disk, protocol."""
