"""The rows of the benchmark, one file each, with `measure(quick)`: what is measured in turns stands in one file."""
