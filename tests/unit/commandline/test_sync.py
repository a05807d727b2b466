"""`idiolect sync`: a folder is shared, a code lets another device in, and what goes wrong is told."""

from __future__ import annotations

import json

from serving import serving

from idiolect.daemon.vault.device_keys import new_code


def test_two_profiles_share_a_folder_by_a_code(run, tiny_profile, tmp_path):
    folder, code_file = tmp_path / "shared", tmp_path / "code"
    folder.mkdir()
    with serving(tiny_profile(tmp_path / "first", threads=1)) as first:
        code, out, _ = run(first.settings, "sync")
        assert (code, out) == (0, "No folder is shared. `idiolect sync FOLDER` shares one.\n")
        assert run(first.settings, "sync", "leave", "--yes")[0] == 131
        code, out, _ = run(first.settings, "sync", str(folder), "--name", "desktop", "--json")
        assert code == 0
        code_file.write_text(json.loads(out)["code"])
        assert run(first.settings, "sync", str(folder))[0] == 133
        with serving(tiny_profile(tmp_path / "second", threads=1)) as second:
            code, _, err = run(second.settings, "sync", str(folder))
            assert code == 134
            assert "idiolect sync invite" in err
            assert run(second.settings, "sync", str(tmp_path / "nowhere"))[0] == 127
            wrong = tmp_path / "wrong"
            wrong.write_text(new_code())
            assert run(second.settings, "sync", str(folder), "--code-file", str(wrong))[0] == 135
            code, out, _ = run(
                second.settings, "sync", str(folder), "--code-file", str(code_file), "--name", "laptop"
            )
            assert (code, "This device, laptop, shares" in out) == (0, True)
            second.service.sync.cycle()
            first.service.sync.cycle()
            second.service.sync.cycle()
            _, out, _ = run(second.settings, "sync", "--json")
            assert [one["name"] for one in json.loads(out)["devices"]] == ["laptop", "desktop"]
            _, out, _ = run(second.settings, "doctor", "--json")
            found = [row for row in json.loads(out) if row["check"] == "shared folder"]
            assert [row["level"] for row in found] == ["ok"]
            assert run(first.settings, "sync", "revoke", "tablet", "--yes")[0] == 132
            code, out, _ = run(first.settings, "sync", "revoke", "laptop", "--yes")
            assert (code, "laptop is revoked" in out) == (0, True)
        code, out, _ = run(first.settings, "sync", "leave", "--yes")
        assert code == 0
    assert not [*folder.rglob("*.idiolect")]
