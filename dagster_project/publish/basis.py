"""What a publication rests on, as one fingerprint: the same basis gives the same publication."""

from __future__ import annotations

import hashlib
import json

from dagster_project.deliveries.ledger import active_deliveries, complete_years
from dagster_project.settings import Settings
from dagster_project.versions import code_version, fingerprint


def publication_basis(settings: Settings) -> str:
    """Fingerprint of the deliveries that the figures rest on, the user's own declarations and the code.

    Police deliveries of years that wait count too: offences are looked up in them.
    """
    active = active_deliveries(settings)
    own = [path for path in (settings.own_offence_codes, settings.own_quarantine_limits) if path.exists()]
    content = {
        "years": complete_years(active),
        "deliveries": [
            [record.label, record.delivery_id, record.judged_by]
            for record in active.values()
            if record.year in complete_years(active) or record.source == "police"
        ],
        "own": fingerprint(own),
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
