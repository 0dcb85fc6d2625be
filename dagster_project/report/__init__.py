"""The yearly follow-up that people read: pages and a PDF, written from the published files of a draft and nothing else."""
