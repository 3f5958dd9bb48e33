"""What stands in front of a mask: hair and glasses of the photograph, told from skin by models of this photograph."""
