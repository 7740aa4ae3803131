"""The data directory: locks that name their holder, files that are whole, who runs here."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from resolver.data_directory import (
    Account,
    Credentials,
    DataDirectory,
    DirectoryInUse,
    HandleAdmin,
)

OPERATOR = Account("baijiu", "88.901", "operator", "operator@88.901", "p", "t")
ADMIN = HandleAdmin("88.901", "88.901/ADMIN", 300, "s")
HOLD = """
import pathlib, sys
from resolver.data_directory import DataDirectory
with DataDirectory(pathlib.Path(sys.argv[1])).lock("idnode up elsewhere"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_names_its_holder_and_goes_with_its_process(tmp_path):
    data = DataDirectory(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(DirectoryInUse, match=f"idnode up elsewhere .process {holder.pid}."),
            data.lock("idnode up here"),
        ):
            pass
        holder.kill()
    with data.lock("idnode up here"):
        pass


def test_credentials_are_merged_and_private(tmp_path):
    data = DataDirectory(tmp_path)
    data.add_credentials(Credentials([OPERATOR], [ADMIN]))
    other = Account("tea", "88.902", "operator", "operator@88.902", "p", "t")
    data.add_credentials(Credentials([other], [HandleAdmin("88.901", "88.901/ADMIN", 300, "new")]))
    assert data.read_credentials().accounts == [OPERATOR, other]
    assert [admin.secret for admin in data.read_credentials().handle_admins] == ["new"]
    assert stat.S_IMODE(data.credentials_path.stat().st_mode) == 0o600


def test_only_what_lives_is_said_to_run(tmp_path):
    data = DataDirectory(tmp_path)
    assert data.running() is None
    data.announce([{"name": "root", "role": "root"}])
    assert data.running() == {"console": None, "nodes": [{"name": "root", "role": "root"}]}
    content = data.running_path.read_text()
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    data.running_path.write_text(content.replace(str(os.getpid()), ended))
    assert data.running() is None


def test_a_process_withdraws_what_it_announced(tmp_path):
    data = DataDirectory(tmp_path)
    data.announce([{"name": "root"}])
    data.withdraw()
    assert data.running() is None
    assert not data.running_path.exists()
