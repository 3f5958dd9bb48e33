"""Sources of photographs: folders, tars, RecordIO sets, tables, object stores."""
