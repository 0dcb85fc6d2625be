"""Ingestion: reads, validates and pseudonymises deliveries and writes them to the raw store."""
