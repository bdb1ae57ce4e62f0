"""Number of examples of a property test: a hundred or so in the check, many in `dev.py soak`."""

import os

# Read at import: the variable is not among those that a test is given.
SOAK_EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "0"))
"""The number that `dev.py soak` asks for; 0 in any other run."""


def examples(usual: int) -> int:
    """The `max_examples` of a test that tries another number than hypothesis' own in the check."""
    return SOAK_EXAMPLES or usual
