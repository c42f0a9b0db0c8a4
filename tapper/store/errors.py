"""What can go wrong with a session, each with a message for the person at the terminal."""

from __future__ import annotations


class StoreError(Exception):
    """A session can't be used as asked."""


class NotASessionError(StoreError):
    """The path is no session, or one that another version made."""


class SessionExistsError(StoreError):
    """Something is already where a session should be made."""


class SessionBusyError(StoreError):
    """Another process is writing the session."""


class DamagedError(StoreError):
    """A part of the session can't be read."""


class TooSlowError(StoreError):
    """A query was broken off at its deadline."""


class DiskFullError(StoreError):
    """There is no room left; what was committed before stays readable."""
