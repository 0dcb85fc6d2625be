"""Disclosure control: decides which figures of counties and municipalities are withheld."""
