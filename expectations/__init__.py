"""The audit: declared suites of expectations, the engine that runs them, and the page that shows the results.

What a check demands belongs in `suites/*.yml`; no figure of the domain is written in Python here. Nothing in this
package knows of an orchestrator.
"""
