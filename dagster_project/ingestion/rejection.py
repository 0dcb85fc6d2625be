"""The error that rejects a whole delivery: where, problem and remedy."""

from __future__ import annotations


class RejectedDeliveryError(Exception):
    """A delivery violates the contract and is not loaded.

    The message may name file, line and column, but never a value, which may be personal data.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        # A file's name may hold bytes that no output could encode.
        super().__init__(f"{where}: {problem}. {remedy}.".encode("utf-8", "replace").decode())
