"""Machines: few identifiers, long lives, many measurements."""

from registry.seed.product import Family, Item, Product, code, measure, pick, serial
from registry.seed.vin import vin

AVIATION = Family(
    "aviation",
    per_lot=40,
    lot=Product(
        "casting batch",
        "铸造批次",
        serial("CAST-{:04d}"),
        (
            Item("alloy", pick("镍基单晶|定向凝固高温合金|等轴晶高温合金|钛合金")),
            Item("furnace", code("真空炉-{:02d}", 12)),
            Item("pouringTemperature", measure(1420, 1560, " ℃")),
            Item("pieces", measure(36, 96)),
        ),
    ),
    unit=Product(
        "turbine blade",
        "涡轮叶片",
        serial("BLD-{:06d}"),
        (
            Item("stage", pick("1 级动叶|1 级静叶|2 级动叶|2 级静叶|3 级动叶")),
            Item("mass", measure(1180, 6400, " g")),
            Item("momentWeight", measure(410, 980, " g·m", 1)),
            Item("inspection", pick("荧光检验合格|X 射线检验合格|工业 CT 合格")),
        ),
    ),
)
ROBOTS = Family(
    "robots",
    per_lot=10,
    lot=Product(
        "assembly lot",
        "装配批次",
        serial("ASM-{:04d}"),
        (
            Item("model", code("DEMO-R{:02d}", 30)),
            Item("reducer", pick("谐波减速器|RV 减速器")),
            Item("controller", code("DEMO-C{:d}", 9)),
            Item("line", code("总装-{:02d}", 8)),
        ),
    ),
    unit=Product(
        "industrial robot",
        "工业机器人",
        serial("ROB-{:05d}"),
        (
            Item("payload", pick("5 kg|12 kg|20 kg|50 kg|165 kg")),
            Item("reach", measure(720, 2700, " mm")),
            Item("repeatability", pick("±0.02 mm|±0.03 mm|±0.05 mm")),
            Item("customer", code("示例客户-{:03d}", 500)),
        ),
    ),
)
RAIL = Family(
    "rail",
    per_lot=32,
    lot=Product(
        "forging heat",
        "锻造炉次",
        serial("FH-{:05d}"),
        (
            Item("steelGrade", pick("CL60|CL65|EA4T|LZ50")),
            Item("hydrogen", measure(0.8, 1.8, " ppm", 1)),
            Item("press", code("水压机-{:d}", 6)),
            Item("heatTreatment", pick("正火|淬火+回火|踏面淬火")),
        ),
    ),
    unit=Product(
        "wheelset",
        "轮对",
        serial("WHS-{:06d}"),
        (
            Item("vehicleType", pick("电力机车|货车|城轨车辆|动车组")),
            Item("diameter", pick("840 mm|860 mm|915 mm|1250 mm")),
            Item("pressForce", measure(720, 1240, " kN")),
            Item("ultrasonic", pick("合格|复探合格")),
        ),
    ),
)
VEHICLES = Family(
    "vehicles",
    per_lot=30,
    lot=Product(
        "assembly sequence",
        "总装批次",
        serial("SEQ-{:04d}"),
        (
            Item("line", code("总装{:d}线", 4)),
            Item("platform", pick("E1|E2|H3")),
            Item("shift", pick("早班|中班|夜班")),
            Item("vehicles", measure(20, 60)),
        ),
    ),
    unit=Product(
        "vehicle",
        "整车",
        vin,
        (
            Item("model", pick("示例纯电轿车|示例纯电SUV|示例插混SUV|示例物流车")),
            Item("battery", code("PACK-{:08d}", 100_000_000)),
            Item("energy", measure(32, 105, " kWh", 1)),
            Item("range", measure(280, 720, " km")),
        ),
    ),
)
ENVIRONMENT = Family(
    "environment",
    per_lot=15,
    lot=Product(
        "membrane roll lot",
        "膜卷批次",
        serial("MEM-{:04d}"),
        (
            Item("material", pick("PVDF|PTFE|聚酰胺|陶瓷")),
            Item("poreSize", pick("0.03 μm|0.1 μm|0.4 μm")),
            Item("flux", measure(18, 65, " L/(m²·h)")),
            Item("length", measure(200, 1200, " m")),
        ),
    ),
    unit=Product(
        "filter module",
        "滤膜组件",
        serial("FLT-{:06d}"),
        (
            Item("application", pick("市政污水|工业废水|烟气除尘|渗滤液")),
            Item("area", measure(6, 52, " m²", 1)),
            Item("bubblePoint", measure(80, 240, " kPa")),
            Item("serviceLife", pick("3 年|5 年|8 年")),
        ),
    ),
)

FAMILIES = (AVIATION, ROBOTS, RAIL, VEHICLES, ENVIRONMENT)
