"""Where photographs come from: folders, tars, RecordIO sets, tables, object stores."""
