"""What a process keeps while settings and rules change: its database, its spool and its pseudonyms."""

from __future__ import annotations

from cds_hooks import log
from plugin.record import Pseudonyms
from plugin.recorder import Recorder
from plugin.settings import Settings, pseudonym_key
from plugin.settings_changes import marks, takes_restart
from plugin.spool import folder_of
from plugin.store import Store


class Kept:
    """The store, the key of the pseudonyms and the recorder of one process.

    `marks` are those of the keys that it was started with and that take a restart to change.
    """

    def __init__(self, settings: Settings) -> None:
        found = marks(settings)
        self.marks = {key: found[key] for key in takes_restart(found)}
        kept, own = settings.store, settings.store.pseudonym_key
        self.store = Store(kept.url)
        self.pseudonyms = Pseudonyms(pseudonym_key(own) if own else self.store.pseudonym_key())
        self.recorder = Recorder(
            self.store,
            folder_of(kept.url, kept.spool),
            policy=kept.on_failure,
            limit=kept.spool_max,
            tell=log.records,
        )

    def close(self) -> None:
        """Brings to the database what waits, as far as time allows, and closes every connection."""
        self.recorder.close()
        self.store.close()
