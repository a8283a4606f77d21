"""Models of many kinds, small changes of one weight, and whether verification finds them on the default goldens."""
