"""Topologies: the built-in ones hold; each rule tells what just fits from what does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from registry.seed import FAMILIES
from resolver.topology import (
    Ports,
    Topology,
    TopologyError,
    configs_directory,
    endpoints,
    load,
    parse,
    ports,
    with_base_port,
)

RECURSIVE = '[[node]]\nname = "rec"\nrole = "recursive"\ntitle = {en = "r", zh = "递"}\n'
ROOT = '[[node]]\nname = "root"\nrole = "root"\ntitle = {en = "r", zh = "根"}\n'


def below(name: str, role: str, parent: str, prefix: str, more: str = "") -> str:
    """A `[[node]]` table below another one."""
    return (
        f'[[node]]\nname = "{name}"\nrole = "{role}"\nparent = "{parent}"\nprefix = "{prefix}"\n'
        f'title = {{en = "x", zh = "例"}}\n{more}\n'
    )


def sector(name: str, prefix: str, more: str = "", hosted: tuple[str, ...] = ("1",)) -> str:
    """A sector table with the facts that sectors must have."""
    enterprises = ", ".join(
        f'{{prefix = "{prefix}.{number}", title = {{en = "x", zh = "例"}}}}' for number in hosted
    )
    facts = 'product = "steel"\nindustry = "C3130"\nprefecture = "510400"\n'
    return below(name, "sector", "ntn", prefix, f"{facts}hosted = [{enterprises}]\n{more}")


NATIONAL = below("ntn", "national", "root", "88")
HEAD = 'name = "t"\ntitle = {en = "t", zh = "试"}\n'
UPPER = RECURSIVE + ROOT + NATIONAL
WHOLE = UPPER + sector("steel", "88.901") + below("mill", "enterprise", "steel", "88.901.100")


def read(nodes: str = WHOLE, head: str = "") -> Topology:
    return parse(HEAD + head + nodes, "t.toml")


def problems(nodes: str = WHOLE, head: str = "") -> dict[str, str]:
    """Key -> message of everything that is wrong."""
    with pytest.raises(TopologyError) as caught:
        read(nodes, head)
    assert all(problem.file == "t.toml" for problem in caught.value.problems)
    return {problem.key: problem.message for problem in caught.value.problems}


# The configurations that ship


def test_sichuan_has_twenty_sectors_in_one_synthetic_block() -> None:
    topology = load()
    sectors = [node for node in topology.nodes if node.role == "sector"]
    assert [node.prefix for node in sectors] == [f"88.{code}" for code in range(901, 921)]
    assert {node.product for node in sectors} == set(FAMILIES)
    assert all(2 <= len(node.hosted) <= 4 and node.operator for node in sectors)
    assert all("Demo" in node.operator.en for node in sectors if node.operator)


def test_sichuan_has_self_hosted_enterprises_under_different_sectors() -> None:
    topology = load("sichuan")
    enterprises = [node for node in topology.nodes if node.role == "enterprise"]
    assert len({node.parent for node in enterprises}) == len(enterprises) >= 5
    assert all(topology.product_of(node) in FAMILIES for node in enterprises)
    assert all(topology.prefecture_of(node) for node in enterprises)


def test_minimal_has_one_of_each_role() -> None:
    roles = [node.role for node in load("minimal").nodes]
    assert roles == ["recursive", "root", "national", "sector", "enterprise"]


@pytest.mark.parametrize("path", sorted(configs_directory().glob("*.toml")), ids=lambda p: p.stem)
def test_every_built_in_loads_by_name_file_and_path(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    by_path = load(path)
    assert by_path.name == path.stem
    assert load(path.stem) == load(path.name) == load(f"configs/{path.name}") == by_path


# Look-ups


def test_who_homes_what_and_who_is_above() -> None:
    topology = load("sichuan")
    assert topology.recursive is topology.nodes[0]
    assert topology.root.name == "root"
    assert [node.name for node in topology.children("root")] == ["chongqing"]
    assert len(topology.children("chongqing")) == 20
    homes = {"88": "chongqing", "88.901": "baijiu", "88.901.7": "baijiu", "88.905.100": "car-plant"}
    for prefix, name in homes.items():
        assert topology.home_of(prefix) is topology.node(name)
    assert topology.home_of("88.901.999") is None
    above = {"88": "root", "88.901": "chongqing", "88.901.7": "baijiu", "88.905.100": "vehicles"}
    for prefix, name in above.items():
        assert topology.parent_of(prefix) is topology.node(name)
    with pytest.raises(KeyError):
        topology.node("nobody")


def test_homed_prefixes_begin_with_the_own_one() -> None:
    node = read(UPPER + sector("steel", "88.901", hosted=("1", "2"))).node("steel")
    assert node.homed == ("88.901", "88.901.1", "88.901.2")
    assert read().root.homed == ()


# Ports


def test_the_recursive_node_has_the_usual_handle_port() -> None:
    topology = load()
    assert ports(topology, topology.recursive) == Ports(2641, 2642, 2643, 2644, 2645)
    assert ports(topology, topology.nodes[7]).handle == 2640 + 70 + 1


def test_endpoints_are_written_as_in_the_ready_file() -> None:
    topology = read(RECURSIVE + 'host = "::1"\nbase_port = 9000\n' + WHOLE[len(RECURSIVE) :])
    found = endpoints(topology, topology.recursive)
    assert found.handle == "[::1]:9001"
    assert found.http == "http://[::1]:9002"
    assert found.dns == "[::1]:9003"
    assert found.https == "https://[::1]:9004"
    assert found.metrics == "http://[::1]:9005"


def test_another_base_port_moves_all_and_is_checked() -> None:
    topology = read()
    assert ports(with_base_port(topology, 4000), topology.root).handle == 4011
    last = 65_535 - 5 - 10 * 4
    assert ports(with_base_port(topology, last), topology.nodes[-1]).metrics == 65_535
    with pytest.raises(TopologyError, match="mill"):
        with_base_port(topology, last + 1)
    with pytest.raises(TopologyError, match="out of range"):
        with_base_port(topology, 0)


def test_blocks_of_ten_may_touch_and_not_overlap() -> None:
    rest = WHOLE[len(RECURSIVE) :]
    read(f"{RECURSIVE}base_port = 2690\n{rest}")
    found = problems(f"{RECURSIVE}base_port = 2689\n{rest}")
    assert "2680-2689 of node 'mill'" in found["node[0].base_port"]


def test_the_same_ports_on_another_host_are_free() -> None:
    read(RECURSIVE + 'host = "127.0.0.2"\nbase_port = 2650\n' + WHOLE[len(RECURSIVE) :])


# Rules: what just fits, and the next thing that does not


@pytest.mark.parametrize(
    ("fits", "broken", "key"),
    [
        ('zone = "id.test"\n', 'zone = "id.test."\n', "zone"),
        ('zone = "a-b.test"\n', 'zone = "a_b.test"\n', "zone"),
        ('zone = "id.test"\n', 'zone = "ID.test"\n', "zone"),
        ('zone = "x"\n', 'zone = ""\n', "zone"),
        (f'zone = "{"a" * 63}.b"\n', f'zone = "{"a" * 64}.b"\n', "zone"),
        (f'zone = "{"a." * 49}bc"\n', f'zone = "{"a." * 49}bcd"\n', "zone"),
        ("rules = {max_length = 2048}\n", "rules = {max_length = 2049}\n", "rules.max_length"),
        ("rules = {max_length = 1}\n", "rules = {max_length = 0}\n", "rules.max_length"),
        ('rules = {sector = "[0-9]+"}\n', 'rules = {sector = "[0-9"}\n', "rules.sector"),
        ("base_port = 1\n", "base_port = 0\n", "base_port"),
        ("base_port = 65490\n", "base_port = 65491\n", "base_port"),
        ("base_port = 4000\n", 'base_port = "4000"\n', "base_port"),
        ("seed = 5\n", "seed = true\n", "seed"),
        ("seed = 5\n", "seed = 5.0\n", "seed"),
        ("seed = 5\n", "seeds = 5\n", "seeds"),
        ("rules = {}\n", "rules = []\n", "rules"),
        ("rules = {}\n", "rules = {sektor = '1'}\n", "rules.sektor"),
    ],
)
def test_rules_of_the_head(fits: str, broken: str, key: str) -> None:
    read(head=fits)
    assert key in problems(head=broken)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mill", "a" * 63),
        ("mill", "mill-2"),
        ("88.901.100", "88.901.99999999"),
        ("88.901.100", "88.901.2"),
        ('"88.901', '"88.9019'),
        ('"88.901.1"', '"88.901.2"'),
        ('"C3130"', '"B09"'),
        ('"510400"', '"511500"'),
        ('product = "steel"', 'product = "tea"'),
        ('product = "steel"', 'product = "steel"\nworkers = 64'),
    ],
)
def test_what_a_node_may_just_be(old: str, new: str) -> None:
    assert old in WHOLE
    read(WHOLE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("mill", "a" * 64, "node[4].name"),
        ("mill", "Mill", "node[4].name"),
        ("mill", "ntn", "node[4].name"),
        ('"mill"', "7", "node[4].name"),
        ('"mill"', "2024-01-01", "node[4].name"),
        ('"mill"', '"mill"\nprefixes = "x"', "node[4].prefixes"),
        ('"mill"', '"mill"\nworkers = 0', "node[4].workers"),
        ('"mill"', '"mill"\nworkers = 65', "node[4].workers"),
        ('"mill"', '"mill"\nworkers = "2"', "node[4].workers"),
        ("88.901.100", "88.901.999999999", "node[4].prefix"),
        ("88.901.100", "88.901.1", "node[4].prefix"),
        ("88.901.100", "88.901", "node[4].prefix"),
        ("88.901.100", "88.902.2", "node[4].prefix"),
        ("88.901.100", "88.901.2.3", "node[4].prefix"),
        ("88.901.100", "88.901.x", "node[4].prefix"),
        ('"88.901', '"88.90199', "node[3].prefix"),
        ('"88.901', '"88.90', "node[3].prefix"),
        ('"88"', '"888"', "node[2].prefix"),
        ('"88"', '"88.1"', "node[2].prefix"),
        ('prefix = "88"\n', "", "node[2].prefix"),
        ('"root"\nrole', '"root"\nprefix = "1"\nrole', "node[1].prefix"),
        ('"88.901.1"', '"88.902.2"', "node[3].hosted[0].prefix"),
        ('"88.901.1"', '"88.901"', "node[3].hosted[0].prefix"),
        ("hosted = [", "hosted = 1 # [", "node[3].hosted"),
        ('"C3130"', '"3130"', "node[3].industry"),
        ('"C3130"', '"C31305"', "node[3].industry"),
        ('"510400"', '"51040"', "node[3].prefecture"),
        ('product = "steel"', 'product = "stele"', "node[3].product"),
        ('product = "steel"\n', "", "node[3].product"),
        ('parent = "steel"\n', "", "node[4].parent"),
        ('parent = "ntn"', 'parent = "root"', "node[3].parent"),
        ('parent = "ntn"', 'parent = "ntm"', "node[3].parent"),
        ('parent = "ntn"', 'parent = "steel"', "node[3].parent"),
        ('"root"\nrole', '"root"\nparent = "ntn"\nrole', "node[1].parent"),
        ('role = "sector"', 'role = "sectors"', "node[3].role"),
        ('en = "x", ', "", "node[2].title.en"),
        ('{en = "x", zh = "例"}', '"x"', "node[2].title"),
    ],
)
def test_what_a_node_may_not_be(old: str, new: str, key: str) -> None:
    assert old in WHOLE
    assert key in problems(WHOLE.replace(old, new))


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("10.1.2.3", True),
        ("::1", True),
        ("10.1.2", False),
        ("node.test", False),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.1", False),
        ("", False),
    ],
)
def test_a_host_is_an_address_to_send_clients_to(host: str, fits: bool) -> None:
    nodes = WHOLE + f'host = "{host}"\n'
    if fits:
        assert read(nodes).nodes[-1].host == host
    else:
        assert "node[4].host" in problems(nodes)


def test_sectors_host_and_nobody_else() -> None:
    assert "node[3].hosted" in problems(UPPER + sector("steel", "88.901", hosted=()))
    more = 'hosted = [{prefix = "88.901.100.1", title = {en = "x", zh = "例"}}]\n'
    assert "node[4].hosted" in problems(WHOLE + more)


def test_one_root_and_one_recursive_node_that_stands_first() -> None:
    assert (
        'a second "root"'
        in problems(WHOLE + ROOT.replace('"root"\nrole', '"r2"\nrole'))["node[5].role"]
    )
    assert "node[5].role" in problems(WHOLE + RECURSIVE.replace('"rec"', '"rec2"'))
    assert "node" in problems(WHOLE[len(RECURSIVE) :])
    assert "node[1].role" in problems(ROOT + RECURSIVE + NATIONAL)
    assert "node" in problems("")


def test_enterprises_may_nest_and_not_in_a_circle() -> None:
    unit = below("unit", "enterprise", "mill", "88.901.100.1")
    read(WHOLE + unit)
    circle = problems((WHOLE + unit).replace('parent = "steel"', 'parent = "unit"'))
    assert circle["node[4].parent"] == "goes in a circle: mill -> unit -> mill"
    assert "node[5].parent" not in circle
    itself = problems(WHOLE.replace('parent = "steel"', 'parent = "mill"'))
    assert itself["node[4].parent"] == "goes in a circle: mill -> mill"


def test_a_prefix_with_letters_is_in_capitals() -> None:
    rules = 'rules = {enterprise = "(?i)[a-z]{2}"}\n'
    read(UPPER + sector("steel", "88.901", hosted=("AB",)), rules)
    found = problems(UPPER + sector("steel", "88.901", hosted=("ab",)), rules)
    assert found == {"node[3].hosted[0].prefix": '"88.901.ab" must be written in capitals'}


# How faults are told


def test_all_faults_are_told_at_once_with_file_line_and_key() -> None:
    nodes = WHOLE.replace('name = "mill"', 'name = "mill"\ncolour = 1').replace('"88.901.1"', "7")
    with pytest.raises(TopologyError) as caught:
        read(nodes + below("x", "sector", "nowhere", "77.1"), 'zone = "-"\nbase_prt = 1\n')
    keys = {problem.key for problem in caught.value.problems}
    assert {"zone", "base_prt", "node[3].hosted[0].prefix", "node[4].colour"} <= keys
    assert {"node[5].parent", "node[5].prefix", "node[5].hosted", "node[5].product"} <= keys
    lines = (HEAD + 'zone = "-"\nbase_prt = 1\n' + nodes).splitlines()
    told = str(caught.value).splitlines()
    colour = lines.index("colour = 1") + 1
    hosted = next(number for number, line in enumerate(lines, 1) if line.startswith("hosted"))
    assert f"t.toml:{colour}: node[4].colour: unknown key" in told
    assert any(line.startswith(f"t.toml:{hosted}: node[3].hosted[0].prefix: ") for line in told)
    assert 't.toml:4: base_prt: unknown key; did you mean "base_port"?' in told


def test_a_duplicate_prefix_names_both_places() -> None:
    nodes = UPPER + sector("baijiu", "88.901") + sector("steel", "88.901", hosted=("2",))
    assert problems(nodes)["node[4].prefix"] == '"88.901" is used by node "baijiu" too'


@pytest.mark.parametrize(
    ("old", "new", "key", "nearest"),
    [
        ('parent = "ntn"', 'parent = "ntnn"', "node[3].parent", "ntn"),
        ('role = "sector"', 'role = "sectr"', "node[3].role", "sector"),
        ('product = "steel"', 'product = "stel"', "node[3].product", "steel"),
        ("prefecture =", "prefectur =", "node[3].prefectur", "prefecture"),
    ],
)
def test_the_nearest_known_word_is_suggested(old: str, new: str, key: str, nearest: str) -> None:
    assert problems(WHOLE.replace(old, new))[key].endswith(f'did you mean "{nearest}"?')


def test_a_node_of_the_wrong_shape_does_not_make_its_children_orphans() -> None:
    named = 'name = "steel"\nrole = "sector"'
    faults = {"store": f"{named}\nstore = 7", "role": named.replace("sector", "sectors")}
    for key, wrong in faults.items():
        assert set(problems(WHOLE.replace(named, wrong))) == {f"node[3].{key}"}


def test_a_wrong_shape_hides_no_other_fault_and_makes_none() -> None:
    found = problems(WHOLE.replace('"88.901.1"', "1").replace('"C3130"', '"x"'))
    assert set(found) == {"node[3].hosted[0].prefix", "node[3].industry"}
    assert set(problems(WHOLE.replace('parent = "ntn"', "parent = 1"))) == {"node[3].parent"}


def test_settings_take_scalars_only() -> None:
    read(WHOLE + "settings = {case = true, level = 3, share = 0.5, mode = 'x'}\n")
    assert "node[4].settings.level" in problems(WHOLE + "settings = {level = [3]}\n")


@pytest.mark.parametrize("text", ["name = ", "[[node]\n", "a = 1\na = 2\n", "[" * 3000])
def test_what_is_not_toml_is_told_as_such(text: str) -> None:
    with pytest.raises(TopologyError, match=r"^t\.toml: is not TOML: "):
        parse(text, "t.toml")


@pytest.mark.parametrize("text", ["", "node = 1", "node = [1, [2], {}]", "title = 1\nrules = 7"])
def test_odd_documents_are_refused_without_a_traceback(text: str) -> None:
    with pytest.raises(TopologyError):
        parse(text, "t.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r'no such file; did you mean "sichuan"\?'):
        load("sichaun")
    with pytest.raises(TopologyError, match=r"no such file; built in: .*minimal.*sichuan"):
        load(tmp_path / "qqq.toml")
    with pytest.raises(TopologyError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(TopologyError, match=re.escape("latin.toml: cannot be read")):
        load(tmp_path / "latin.toml")
