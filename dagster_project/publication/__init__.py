"""Publication: writes a draft, reads it back, completes it, renames it to a publication and makes it current."""
