"""The fingerprint of the inputs of a publication: the same basis gives the same publication."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from dagster_project.quality.waivers import read_waivers
from dagster_project.settings import Settings
from dagster_project.state import active_deliveries, complete_years, kept_description
from dagster_project.versions import code_version, fingerprint


def publication_basis(settings: Settings) -> str:
    """Return the fingerprint of the deliveries, the user's own declarations and the code.

    Police deliveries of incomplete years are included, because offences are looked up in them.
    """
    active = active_deliveries(settings)
    own = [path for path in (settings.own_offence_codes, settings.waivers, settings.catalogue) if path.exists()]
    content = {
        "years": complete_years(active),
        "deliveries": [
            [record.label, record.delivery_id, record.judged_by]
            for record in active.values()
            if record.year in complete_years(active) or record.source == "police"
        ],
        "kept": kept_description(settings),
        "own": fingerprint(own),
        "suppress below": settings.suppress_below,
        # A waiver that expires changes what may be published without any changed file.
        "expired": [waiver.text for waiver in read_waivers(settings.waivers) if waiver.has_expired(date.today())],
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
