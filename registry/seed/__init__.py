"""Records to begin with: deterministic, and with the look of the sector that they belong to."""

from registry.seed.families import FAMILIES
from registry.seed.product import Family, Product
from registry.seed.records import SEEDED_AT, records, split

__all__ = ["FAMILIES", "SEEDED_AT", "Family", "Product", "records", "split"]
