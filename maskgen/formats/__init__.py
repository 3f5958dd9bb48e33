"""Photographs in other forms than folders: RecordIO, tar, .bin, tables; on this machine or in an object store."""
