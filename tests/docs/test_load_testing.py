"""What the page on load testing shows is what the program takes."""

import re
from pathlib import Path

from load_tests.profiles.loading import built_in, parse

PAGE = (Path(__file__).parents[2] / "docs" / "load-testing.md").read_text(encoding="utf-8")


def test_the_profile_on_the_page_can_be_run() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    profile = parse(text, "page")
    assert [one.name for one in profile.loads] == ["warehouse", "bottles"]


def test_the_page_names_every_built_in_profile() -> None:
    named = set(re.findall(r"^\| `([a-z-]+)` \| ", PAGE, re.MULTILINE))
    assert set(built_in()) <= named
