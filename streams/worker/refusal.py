"""Why a worker will not start, or will not go on."""


class RefusedError(Exception):
    """The surroundings are not fit to work in; the message tells the operator what to do."""
