"""A publication in the formats that others read: every one made from the draft's own Parquet files, the audited rows."""
