"""Formats of photographs besides folders: RecordIO, tar, .bin, tables; local or in an object store."""
