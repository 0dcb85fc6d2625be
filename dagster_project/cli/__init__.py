"""The command `uppklarat`."""
