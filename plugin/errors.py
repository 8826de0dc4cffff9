"""Every error that Vestige raises on purpose.

    VestigeError
    ├── SettingsError            the configuration cannot be used                 (exit code 2)
    ├── InputError               a file or an argument cannot be used             (exit code 2)
    │   └── PatientChoiceError   several patients, or none, where one is needed   (exit code 2)
    ├── CallError                a hook call cannot be answered                   (HTTP 400)
    │   └── NoData               nothing decisive can be read                     (HTTP 412)
    ├── TextError                a text of a card cannot be filled                (a visible card instead)
    ├── FhirError                a FHIR server did not give what was asked        (exit code 3)
    ├── Stopped                  a command was told to end before it was done     (exit code 1)
    └── StoreError               the database cannot be read or written           (exit code 3)
        ├── StoreAddressError    its address cannot be used                       (exit code 2)
        └── StoreRefusal         it works, and does not take these rows           (exit code 3)

Messages name what to do and hold neither tokens nor patient data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugin.chart import Gap, GapReason


class VestigeError(Exception):
    """The root of the tree; `exit_code` is what a command ends with."""

    exit_code = 1


class SettingsError(VestigeError):
    """The configuration cannot be used; the message names the key."""

    exit_code = 2


class InputError(VestigeError):
    """A file or an argument cannot be used."""

    exit_code = 2


class PatientChoiceError(InputError):
    """The files hold no patient or several; `patients` are the ids found."""

    def __init__(self, message: str, patients: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.patients = patients


class CallError(VestigeError):
    """A hook call cannot be answered; `status` is the HTTP status, `code` the FHIR issue type."""

    def __init__(self, message: str, *, status: int = 400, code: str = "invalid") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NoData(CallError):
    """Nothing decisive can be read: neither usable prefetch nor FHIR access (CDS Hooks 2.0.1, status 412)."""

    def __init__(self, message: str, gaps: tuple[Gap, ...] = ()) -> None:
        super().__init__(message, status=412, code="required")
        self.gaps = gaps


class TextError(VestigeError):
    """A text of a card cannot be filled; the message holds neither the text nor what was to fill it."""


class FhirError(VestigeError):
    """A FHIR server did not give what was asked; `reason` is the reason of the gap it leaves."""

    exit_code = 3

    def __init__(self, reason: GapReason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class Stopped(VestigeError):
    """A command was told to end before it was done, by Ctrl-C or SIGTERM."""


class StoreError(VestigeError):
    """The database cannot be read or written; the message holds the URL without its password."""

    exit_code = 3


class StoreAddressError(StoreError):
    """The address of the database cannot be used; the message does not repeat it."""

    exit_code = 2


class StoreRefusal(StoreError):
    """The database works and does not take these rows, now or later."""
