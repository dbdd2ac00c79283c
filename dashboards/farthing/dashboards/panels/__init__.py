"""One panel a file; the file's name is the panel's id, and it holds one PANEL."""
