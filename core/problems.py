"""What can go wrong that a person can mend: errors whose message is one sentence for them.

Commands end in that sentence and pages show it. Any other exception is a fault of this program: it keeps its traceback.
"""


class UserError(Exception):
    """An error that somebody can mend; its message says, in one sentence, what was found and what to do."""


class InputError(UserError, ValueError):
    """A setting, an argument or a combination of them that cannot be; still a `ValueError` for callers in Python."""
