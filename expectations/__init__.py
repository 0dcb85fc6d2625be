"""Great Expectations suites for deliveries, marts and published files, and the page of their results."""

import os

# Read when Great Expectations is imported; no usage data may be sent.
os.environ["GX_ANALYTICS_ENABLED"] = "False"
