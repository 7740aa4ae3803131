"""Electronics and the digital economy: wafers, switches, data files and software copies."""

from registry.seed.product import Family, Item, Product, code, measure, pick, serial

CHIPS = Family(
    "chips",
    per_lot=25,  # a cassette
    lot=Product(
        "wafer lot",
        "晶圆批次",
        serial("W{:05d}"),
        (
            Item("technology", pick("28 nm|40 nm|55 nm|90 nm|AMOLED|LTPS")),
            Item("substrate", pick("200 mm|300 mm|G6 玻璃|G8.6 玻璃")),
            Item("fab", code("示例厂-{:d}", 6)),
            Item("yield", measure(82, 99, " %", 1)),
        ),
    ),
    unit=Product(
        "wafer or panel",
        "晶圆/面板",
        serial("WF.{:07d}"),
        (
            Item("partNumber", code("DEMO-P{:03d}", 200)),
            Item("goodDies", measure(310, 640)),
            Item("thickness", measure(690, 780, " μm")),
            Item("inspection", pick("合格|让步接收|复检合格")),
        ),
    ),
)
NETWORKS = Family(
    "networks",
    per_lot=16,
    lot=Product(
        "work order",
        "生产工单",
        serial("WO-{:05d}"),
        (
            Item("model", code("DEMO-SW{:02d}", 40)),
            Item("boardRevision", pick("A1|A2|B1|C0")),
            Item("quantity", measure(50, 800)),
            Item("line", code("SMT-{:02d}", 14)),
        ),
    ),
    unit=Product(
        "network device",
        "网络设备",
        serial("SN{:08d}"),
        (
            Item("productName", pick("工业交换机|光线路终端|5G 工业网关|无线接入点")),
            Item("mac", code("02-00-5E-{:06X}", 1 << 24)),  # locally administered, nobody's
            Item("firmware", pick("V3.1.0|V3.2.4|V4.0.1")),
            Item("ports", pick("8|16|24|48")),
        ),
    ),
)
BIG_DATA = Family(
    "bigdata",
    per_lot=12,
    lot=Product(
        "data set",
        "数据集",
        serial("DS-{:05d}"),
        (
            Item("theme", pick("设备运行|能耗监测|质量检测|供应链物流")),
            Item("rows", measure(10_000, 90_000_000)),
            Item("updated", pick("每日|每周|每月")),
            Item("dataLevel", pick("一级|二级|三级")),
        ),
    ),
    unit=Product(
        "data file",
        "数据文件",
        serial("DF.{:06d}"),
        (
            Item("format", pick("Parquet|CSV|JSON Lines|ORC")),
            Item("size", measure(1, 950, " MB")),
            Item("checksum", code("{:016x}", 1 << 64)),
            Item("licence", pick("内部共享|有条件开放|无条件开放")),
        ),
    ),
)
SOFTWARE = Family(
    "software",
    per_lot=20,
    lot=Product(
        "release",
        "版本",
        serial("REL-{:04d}"),
        (
            Item("productName", pick("示例MES|示例SCADA|示例PLM|示例边缘网关软件")),
            Item("version", code("V5.{:d}", 30)),
            Item("platform", pick("Linux x86-64|Linux arm64|RISC-V")),
            Item("testReport", code("TR-{:05d}", 90_000)),
        ),
    ),
    unit=Product(
        "installed copy",
        "授权副本",
        serial("MES.{:04d}"),
        (
            Item("edition", pick("标准版|专业版|企业版")),
            Item("seats", measure(5, 500)),
            Item("validity", pick("1 年|3 年|永久")),
            Item("site", code("示例车间-{:03d}", 300)),
        ),
    ),
)

FAMILIES = (CHIPS, NETWORKS, BIG_DATA, SOFTWARE)
