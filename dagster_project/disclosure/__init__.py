"""Which figures of counties and municipalities are withheld."""
