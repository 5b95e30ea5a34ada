"""Says which catalogue this installation answers from."""

from __future__ import annotations

from knowledge.catalogue import DEMO_CATALOGUE
from knowledge.store import CatalogueStore
from service.settings import Settings


def store_of(settings: Settings) -> CatalogueStore:
    """The catalogue in force: what imports wrote to ``data_dir/catalogue``, over the demo catalogue.

    ``QIFU_CATALOGUE`` names another catalogue to stand in the demo's place; imports never write there.
    """
    return CatalogueStore(settings.data_dir / "catalogue", settings.catalogue or DEMO_CATALOGUE)
