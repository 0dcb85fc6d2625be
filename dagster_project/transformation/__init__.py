"""Transformation: prepares the sources, runs the dbt project and builds the marts."""
