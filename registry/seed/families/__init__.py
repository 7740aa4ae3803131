"""The product families by name, one for each sector of `configs/sichuan.toml`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from registry.seed.families import digital, energy, equipment, food_and_medicine, materials
from registry.seed.product import Family

FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        family.name: family
        for module in (food_and_medicine, digital, equipment, materials, energy)
        for family in module.FAMILIES
    }
)
