from __future__ import annotations


def test_a_valid_topology(idnode):
    found = idnode("config", "check", "minimal")
    assert found.status == 0
    assert "valid" in found.out
    nodes = idnode("config", "check", "minimal", "--json").json["nodes"]
    assert {node["role"] for node in nodes} >= {"root", "national", "sector", "recursive"}
    assert all(node["handle"].startswith("127.0.0.1:") for node in nodes)


def test_a_built_in_one_is_shown_to_make_another_of_it(tmp_path, idnode):
    shown = idnode("config", "show", "minimal")
    path = tmp_path / "mine.toml"
    path.write_text(shown.out, "utf-8")
    assert shown.out.startswith("#")
    assert idnode("config", "check", path).status == 0
    assert idnode("config", "show", "none").status == 2


def test_everything_that_is_wrong_is_said(tmp_path, idnode):
    path = tmp_path / "bad.toml"
    path.write_text('name = "x"\nsoup = 1\n')
    found = idnode("config", "check", path)
    assert found.status == 2
    assert "bad.toml" in found.err
    assert "soup" in found.err


def test_a_file_that_is_missing(tmp_path, idnode):
    found = idnode("config", "check", tmp_path / "none.toml")
    assert found.status == 2
    assert "none.toml" in found.err
