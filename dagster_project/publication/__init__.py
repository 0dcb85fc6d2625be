"""Where figures leave: a draft is written, read back, completed, renamed to a publication and pointed to."""
