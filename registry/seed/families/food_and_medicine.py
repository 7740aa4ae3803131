"""What people eat, drink and take: bottles, tins, pallets and packs, traced to their batch."""

from registry.seed.product import Family, Item, Product, code, measure, pick, serial

BAIJIU = Family(
    "baijiu",
    per_lot=24,
    lot=Product(
        "blended batch",
        "勾调批次",
        serial("LOT-{:04d}"),
        (
            Item("aroma", pick("浓香型|酱香型|兼香型|清香型")),
            Item("baseLiquor", pick("三年基酒|五年基酒|八年基酒|十年基酒")),
            Item("volume", measure(4, 60, " kL", 1)),
            Item("cellar", code("窖池-{:03d}", 400)),
        ),
    ),
    unit=Product(
        "bottle",
        "瓶",
        serial("BOT-{:06d}"),
        (
            Item("productName", pick("示例特曲|示例大曲|示例老窖|示例头曲")),
            Item("alcoholContent", pick("38 %vol|42 %vol|46 %vol|52 %vol|53 %vol")),
            Item("netContent", pick("100 mL|250 mL|500 mL|1000 mL")),
            Item("packingLine", code("包装{:02d}线", 24)),
        ),
    ),
)
TEA = Family(
    "tea",
    per_lot=40,
    lot=Product(
        "picking lot",
        "采摘批次",
        serial("PICK-{:04d}"),
        (
            Item("garden", code("示例茶园-{:02d}", 60)),
            Item("altitude", measure(600, 1400, " m")),
            Item("pickingStandard", pick("单芽|一芽一叶|一芽二叶")),
            Item("freshLeaf", measure(80, 900, " kg")),
        ),
    ),
    unit=Product(
        "tin",
        "罐",
        serial("TIN-{:06d}"),
        (
            Item("productName", pick("示例甘露|示例毛峰|示例黄芽|示例茉莉花茶")),
            Item("grade", pick("特级|一级|二级")),
            Item("netContent", pick("50 g|100 g|250 g")),
            Item("moisture", measure(3.5, 6.5, " %", 1)),
        ),
    ),
)
FARM = Family(
    "farm",
    per_lot=30,
    lot=Product(
        "pickling vat",
        "发酵池批次",
        serial("VAT-{:04d}"),
        (
            Item("vegetable", pick("青菜|萝卜|豇豆|儿菜|辣椒")),
            Item("base", code("示例种植基地-{:02d}", 40)),
            Item("salinity", measure(4, 12, " %", 1)),
            Item("fermentation", measure(30, 180, " d")),
        ),
    ),
    unit=Product(
        "pallet",
        "托盘",
        serial("PAL.{:06d}"),
        (
            Item("productName", pick("示例老坛泡菜|示例榨菜丝|示例下饭菜|示例豆瓣酱")),
            Item("cartons", measure(24, 60)),
            Item("bestBefore", pick("9 个月|12 个月|18 个月")),
            Item("storage", pick("常温|阴凉|0-4 ℃冷藏")),
        ),
    ),
)
MEDICINE = Family(
    "medicine",
    per_lot=50,
    lot=Product(
        "production lot",
        "生产批号",
        serial("B23{:05d}"),
        (
            Item("workshop", code("制剂{:d}车间", 9)),
            Item("inspection", code("QC-{:06d}", 1_000_000)),
            Item("lotSize", measure(20, 400, " 千盒")),
            Item("releasedBy", code("质量受权人-{:02d}", 12)),
        ),
    ),
    unit=Product(
        "pack",
        "盒",
        serial("8{:019d}"),  # twenty digits, as on the trace codes of packs
        (
            Item("productName", pick("示例复方片|示例胶囊|示例颗粒|示例口服液")),
            Item("specification", pick("0.25 g×24|0.3 g×36|10 g×12|10 mL×6")),
            Item("shelfLife", pick("18 个月|24 个月|36 个月")),
            Item("storage", pick("密封|遮光，密封|阴凉处")),
        ),
    ),
)

FAMILIES = (BAIJIU, TEA, FARM, MEDICINE)
