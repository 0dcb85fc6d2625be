"""The yearly report: web pages and a PDF, generated only from the published files of a draft."""
