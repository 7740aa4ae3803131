"""Clean energy and green chemicals: modules on pallets, liquids in containers."""

from registry.seed.product import Family, Item, Product, code, measure, pick, serial

CLEAN_ENERGY = Family(
    "cleanenergy",
    per_lot=31,  # modules on a pallet
    lot=Product(
        "module pallet",
        "组件托盘",
        serial("PLT-{:05d}"),
        (
            Item("cellType", pick("TOPCon|HJT|PERC|BC")),
            Item("powerClass", pick("550 W|580 W|615 W|700 W")),
            Item("modules", measure(31, 36)),
            Item("line", code("组件-{:02d}", 16)),
        ),
    ),
    unit=Product(
        "solar module",
        "光伏组件",
        serial("PV.{:08d}"),
        (
            Item("power", measure(548, 712, " W", 1)),
            Item("openCircuitVoltage", measure(48, 53, " V", 2)),
            Item("efficiency", measure(21, 23.5, " %", 1)),
            Item("electroluminescence", pick("合格|A 级|B 级")),
        ),
    ),
)
CHEMICALS = Family(
    "chemicals",
    per_lot=20,
    lot=Product(
        "reactor batch",
        "反应批次",
        serial("RB-{:05d}"),
        (
            Item("substance", pick("磷酸铁|生物基丁二醇|聚乳酸|电子级磷酸")),
            Item("reactor", code("R-{:03d}", 120)),
            Item("purity", measure(98.5, 99.99, " %", 2)),
            Item("carbonFootprint", measure(0.6, 3.9, " kgCO2e/kg", 2)),
        ),
    ),
    unit=Product(
        "container",
        "容器",
        serial("IBC-{:06d}"),
        (
            Item("containerType", pick("吨桶|罐式集装箱|钢桶|内衬袋")),
            Item("netMass", measure(180, 1250, " kg")),
            Item("hazardClass", pick("非危险货物|第 3 类|第 8 类")),
            Item("seal", code("铅封-{:07d}", 10_000_000)),
        ),
    ),
)

FAMILIES = (CLEAN_ENERGY, CHEMICALS)
