"""The application of the benchmark's server image: the layer that changes from release to release."""

import sys

sys.stdout.write("serving\n")
