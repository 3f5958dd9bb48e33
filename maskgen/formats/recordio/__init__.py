"""MXNet's RecordIO sets: records, index, people."""
