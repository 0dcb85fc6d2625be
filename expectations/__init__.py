"""What must be true of deliveries, marts and published files: suites of Great Expectations, and the page that shows their results."""

import os

# Read when Great Expectations is imported: nothing may leave this machine.
os.environ["GX_ANALYTICS_ENABLED"] = "False"
