"""`idiolect sync`: a folder is shared, its words let another device in, and what goes wrong is told."""

import json
import os

from serving import serving
from waiting import until


def test_two_profiles_share_a_folder_by_its_words(run, tiny_profile, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    with serving(tiny_profile(tmp_path / "first", threads=1)) as first:
        code, out, _ = run(first.settings, "sync")
        assert (code, out) == (0, "No folder is shared. `idiolect sync share FOLDER` shares one.\n")
        assert run(first.settings, "sync", "leave", "--yes")[0] == 4
        first.service.ingest.add_text("Written on the first one.", source="test")
        _, out, _ = run(first.settings, "sync", "share", str(folder), "--json")
        words = json.loads(out)["words"]
        assert len(words.split()) == 12
        assert run(first.settings, "sync", "share", str(folder))[0] == 4
        with serving(tiny_profile(tmp_path / "second", threads=1)) as second:
            for wrong in ("", "one two three"):
                code, _, err = run(second.settings, "sync", "join", str(folder), typed=wrong)
                assert (code, "there are twelve" in err) == (3, True)
            assert run(second.settings, "sync", "join", str(tmp_path / "nowhere"), typed=words)[0] == 3
            code, out, _ = run(second.settings, "sync", "join", str(folder), typed=words)
            assert (code, "This device shares" in out) == (0, True)
            until(lambda: [entry.text for entry in second.service.store.entries.select()])
            _, out, _ = run(second.settings, "sync", "--json")
            assert [one["entries"] for one in json.loads(out)["devices"]] == [0, 1]
            first.service.following.stop()  # or it would be written again at once
            [log] = folder.glob("*/*.log.idiolect")
            os.truncate(log, 100)  # a device that joins now waits for it
            with serving(tiny_profile(tmp_path / "third", threads=1)) as third:
                assert run(third.settings, "sync", "join", str(folder), typed=words)[0] == 0

                def found():
                    _, out, _ = run(third.settings, "doctor", "--json")
                    rows = [row for row in json.loads(out) if row["check"] == "shared folder"]
                    return [(row["level"], "1 file has not arrived whole" in row["found"]) for row in rows]

                until(lambda: found() == [("note", True)])
                first.service.sync.cycle()  # it finds that out, and writes it again
                until(lambda: found() == [("ok", False)])
                assert run(third.settings, "sync", "leave", "--yes")[0] == 0
            assert run(first.settings, "sync", "remove", "nobody", "--yes")[0] == 4
            number = second.service.sync.device
            second.service.following.stop()  # it is lost
            assert run(first.settings, "sync", "remove", number, "--yes")[0] == 0
            _, out, _ = run(first.settings, "sync", "--json")
            assert [one["this"] for one in json.loads(out)["devices"]] == [True]
        assert not (folder / number).exists()
        assert run(first.settings, "sync", "leave", "--yes")[0] == 0
