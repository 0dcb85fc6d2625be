"""Where figures are derived: what has to be built, what the build reads, and the dbt project run in this process."""
