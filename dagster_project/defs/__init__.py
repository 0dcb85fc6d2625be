"""All code that depends on Dagster: assets, checks, job, schedule, sensors and the instance; each calls domain functions only."""
