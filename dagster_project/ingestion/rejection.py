"""The error that rejects a whole delivery: location, problem and remedy."""

from __future__ import annotations


class RejectedDeliveryError(Exception):
    """A delivery violates the contract and is not loaded.

    The message may name file, line and column, but never a value, which may be personal data.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        # A file's name may contain bytes that no output can encode.
        super().__init__(f"{where}: {problem}. {remedy}.".encode("utf-8", "replace").decode())


def cannot_be_read(where: str, error: OSError, remedy: str = "Deliver it again") -> RejectedDeliveryError:
    """The rejection of a file that cannot be opened; the supplier cannot correct a missing permission."""
    if isinstance(error, PermissionError):
        remedy = "Give the user who loads the right to read it, and load again; the supplier need not deliver again"
    return RejectedDeliveryError(where, f"it cannot be read ({error.strerror})", remedy)
