"""Writes a publication in further formats, each from the draft's Parquet files, which contain the audited rows."""
