"""The slow, plain reference implementation that the warehouse is held against, and the worlds it is tried on."""
