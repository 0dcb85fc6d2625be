"""The fingerprint of the inputs of a publication: the same basis gives the same publication."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date

from dagster_project import paths
from dagster_project.quality.waivers import read_waivers
from dagster_project.state import State
from dagster_project.versions import code_version, fingerprint


def publication_basis(state: State) -> str:
    """Return the fingerprint of the deliveries, the user's own declarations and the code.

    Police deliveries of incomplete years are included, because offences are looked up in them.
    """
    home = state.settings.home
    declared = (paths.OWN_OFFENCE_CODES, paths.POPULATION, paths.WAIVERS, paths.CATALOGUE)
    own = [home / name for name in declared if (home / name).exists()]
    content = {
        "years": state.complete_years,
        "deliveries": [
            [record.label, record.delivery_id, record.judged_by]
            for record in state.active.values()
            if record.year in state.complete_years or record.source == "police"
        ],
        "official": state.official_versions,
        "kept": asdict(state.purged),
        "own": fingerprint(own),
        "suppress below": state.settings.suppress_below,
        # A waiver that expires changes what may be published without any changed file.
        "expired": [waiver.text for waiver in read_waivers(home / paths.WAIVERS) if waiver.has_expired(date.today())],
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
