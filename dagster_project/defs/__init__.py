"""All that knows Dagster: assets, checks, job, schedule, sensor and the instance; each only calls the domain's functions."""
