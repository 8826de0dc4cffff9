"""Which options of `vestige interop` go together: one that would have no effect is refused, not ignored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cds_hooks.cli.fhir_access import base_here, local
from cds_hooks.interop.manifest import Manifest
from plugin.errors import InputError

ALGORITHMS = ("ES384", "RS384")
_READING = ("--patient", "--bodies")
_WRITING = ("--sample", "--patients", "--keep", "--manifest")
_SIGNING = ("--service-key", "--service-issuer", "--service-kid")


def base_of_run(given: str | None, left: Manifest | None, *, allow_http: bool) -> str:
    """Returns the base of the FHIR server that is given, or that the manifest names; raises InputError."""
    if left is not None:
        if given is not None and base_here(given, allow_http=allow_http) != left.base:
            raise InputError(f"the manifest is of {left.base}; leave the address out, or give that one")
        return base_here(left.base, allow_http=allow_http)
    if given is None:
        raise InputError("say which FHIR server: vestige interop FHIR_BASE")
    return base_here(given, allow_http=allow_http)


def writing(base: str, *, write: bool, only_read: bool) -> bool:
    """Says whether the run writes; raises InputError where that was not said and is not clear."""
    if write and only_read:
        raise InputError("--write and --read-only exclude each other")
    if not write and not only_read and not local(base):
        raise InputError(
            f"{base} is not on this machine: say --write to load synthetic patients there and remove them "
            "again, or --read-only to look at patients that are there"
        )
    return not only_read


def agreed(given: Mapping[str, object], *, writes: bool, cleans: bool) -> None:
    """Passes options of which each has its effect; raises InputError naming one that has none.

    `given` holds the value of each option by its name: None, empty or False where it was not given.
    """
    said = {name for name, value in given.items() if value not in (None, False, [], "")}

    def only(names: tuple[str, ...], where: str) -> None:
        for name in names:
            if name in said:
                raise InputError(f"{name} is {where}")

    if cleans:
        only((*_READING, *_WRITING, "--report", "--output", "--service"), "of no use with --clean")
    if writes:
        only(_READING, "for --read-only: a run that writes looks at its own patients only")
    else:
        only(_WRITING, "for a run that writes, not for --read-only")
    if "--report" not in said:
        only(("--output",), "where a report goes: say which with --report")
    if "--service" not in said:
        only((*_SIGNING, "--service-algorithm"), "for --service, a service that runs already")
    elif "--service-key" not in said:
        only((*_SIGNING, "--service-algorithm"), "for signed calls: give --service-key, too")
    algorithm = given.get("--service-algorithm")
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise InputError(f"--service-algorithm {algorithm!r} is none of {', '.join(ALGORITHMS)}")


def writable(report: str | None, output: Path | None) -> None:
    """Raises InputError for a report that cannot be written where it should go; leaves nothing behind."""
    if report is None:
        return
    # Without a name of its own the report goes into the working directory, under the name of the run.
    where = output or Path(".vestige-interop")
    there = where.exists()
    try:
        where.open("ab").close()
        if not there:
            where.unlink()
    except OSError as error:
        raise InputError(
            f"{output or Path.cwd()}: the report cannot be written: {error.strerror or error}"
        ) from error
