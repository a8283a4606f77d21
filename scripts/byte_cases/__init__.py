"""Models of many kinds, each to be built several times, and the environments in which that must give the same bytes."""
