"""Metals, minerals, fibres and cloth: heats, coils, bags, spools and rolls."""

from registry.seed.product import Family, Item, Product, code, measure, pick, serial

NEW_MATERIALS = Family(
    "newmaterials",
    per_lot=36,
    lot=Product(
        "furnace campaign",
        "窑炉批次",
        serial("KILN-{:04d}"),
        (
            Item("rawMaterial", pick("玄武岩|叶蜡石|石英砂")),
            Item("meltTemperature", measure(1380, 1520, " ℃")),
            Item("bushing", code("漏板-{:03d}", 200)),
            Item("output", measure(8, 45, " t", 1)),
        ),
    ),
    unit=Product(
        "fibre spool",
        "纤维纱团",
        serial("SPL-{:06d}"),
        (
            Item("linearDensity", pick("300 tex|600 tex|1200 tex|2400 tex")),
            Item("filament", pick("9 μm|13 μm|17 μm")),
            Item("strength", measure(0.45, 0.82, " N/tex", 2)),
            Item("mass", measure(5, 20, " kg", 1)),
        ),
    ),
)
STEEL = Family(
    "steel",
    per_lot=18,
    lot=Product(
        "heat",
        "炉次",
        serial("HEAT-{:05d}"),
        (
            Item("steelGrade", pick("DEMO-V350|DEMO-V420|DEMO-V500|DEMO-VT30")),
            Item("vanadium", measure(0.03, 0.12, " %", 3)),
            Item("titanium", measure(0.01, 0.08, " %", 3)),
            Item("tapWeight", measure(118, 212, " t", 1)),
        ),
    ),
    unit=Product(
        "coil",
        "钢卷",
        serial("COIL.{:07d}"),
        (
            Item("thickness", measure(1.2, 12.7, " mm", 2)),
            Item("width", measure(900, 1550, " mm")),
            Item("mass", measure(8, 26, " t", 2)),
            Item("yieldStrength", measure(345, 620, " MPa")),
        ),
    ),
)
LITHIUM = Family(
    "lithium",
    per_lot=40,
    lot=Product(
        "crystallised batch",
        "结晶批次",
        serial("LC-{:05d}"),
        (
            Item("ore", pick("锂辉石精矿|盐湖卤水|回收料")),
            Item("reactor", code("结晶釜-{:02d}", 30)),
            Item("purity", measure(99.5, 99.95, " %", 2)),
            Item("quantity", measure(10, 40, " t", 1)),
        ),
    ),
    unit=Product(
        "bag",
        "吨袋",
        serial("BAG-{:06d}"),
        (
            Item("productName", pick("电池级碳酸锂|工业级碳酸锂|电池级氢氧化锂")),
            Item("netMass", pick("500 kg|1000 kg")),
            Item("medianGrain", measure(3, 8, " μm", 1)),
            Item("moisture", measure(0.08, 0.25, " %", 2)),
        ),
    ),
)
RARE_EARTH = Family(
    "rareearth",
    per_lot=24,
    lot=Product(
        "separation run",
        "萃取分离批次",
        serial("SEP-{:04d}"),
        (
            Item("concentrate", code("示例精矿-{:03d}", 300)),
            Item("train", code("萃取线-{:d}", 8)),
            Item("extractant", pick("P507|P204|N235")),
            Item("purity", measure(99.0, 99.99, " %", 2)),
        ),
    ),
    unit=Product(
        "drum",
        "桶",
        serial("REO-{:06d}"),
        (
            Item("productName", pick("氧化镨钕|氧化铈|金属钕|抛光粉")),
            Item("netMass", pick("25 kg|50 kg|200 kg")),
            Item("grainSize", measure(1, 9, " μm", 1)),
            Item("seal", code("铅封-{:07d}", 10_000_000)),
        ),
    ),
)
TEXTILES = Family(
    "textiles",
    per_lot=20,
    lot=Product(
        "dye lot",
        "染缸批次",
        serial("DYE-{:05d}"),
        (
            Item("colour", pick("蜀红|竹青|月白|黛蓝|米色")),
            Item("vat", code("染缸-{:02d}", 40)),
            Item("fastness", pick("4 级|4-5 级|5 级")),
            Item("waterUse", measure(38, 90, " L/kg")),
        ),
    ),
    unit=Product(
        "roll",
        "布卷",
        serial("ROLL-{:06d}"),
        (
            Item("productName", pick("示例丝绸|示例棉布|示例混纺布|示例建筑膜材")),
            Item("composition", pick("桑蚕丝 100%|棉 100%|棉 60% 涤 40%|玻纤 100%")),
            Item("width", pick("114 cm|140 cm|150 cm|280 cm")),
            Item("length", measure(30, 120, " m", 1)),
        ),
    ),
)

FAMILIES = (NEW_MATERIALS, STEEL, LITHIUM, RARE_EARTH, TEXTILES)
