"""Whether data may be published: the audit of extracts and marts, and waivers."""
