"""The admin of the catalogue, and a view without pens of what was deployed.

What somebody may edit is decided by the rows they hold (`dashboard.editing`). Connectors,
infrastructure definitions, workflows and artifacts need the platforms' word and are registered by
`rollbacks`.
"""

from dashboard.admin import catalogue, flags, freezes
from dashboard.admin.editable import CatalogueAdmin, KeepsPlaceForm, crud
from dashboard.admin.journal import ReadOnlyInline

__all__ = [
    "CatalogueAdmin",
    "KeepsPlaceForm",
    "ReadOnlyInline",
    "catalogue",
    "crud",
    "flags",
    "freezes",
]
