"""The page's server: the same bytes as the command and the code, nothing kept, nothing for others."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shlex
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from maskgen.core.images import encode_image
from maskgen.core.reasons import UserError
from maskgen.pipelines.cli import main
from maskgen.pipelines.load_models import portrait
from maskgen.pipelines.play.choices import offered
from maskgen.pipelines.play.server import PlayServer
from maskgen.pipelines.play.settings import PlaySettings
from maskgen.pipelines.play.trying import Studio

sys.path.insert(0, str(Path(__file__).parent))
from playing import attempt, file, send, served

PORTRAIT = encode_image(portrait().image[:400, 100:400], "png")
NAME = "it's a portrait.png"
CHECK = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((16, 16), int))[..., None] * [0, 90, 200]
TEXTURE = encode_image(CHECK.astype(np.uint8), "png")


@pytest.fixture(scope="module")
def server() -> Iterator[PlayServer]:
    with served(PlaySettings(port=0, browser=False, max_megabytes=1, max_pixels=1_000_000)) as running:
        yield running


@pytest.mark.parametrize(
    "asked",
    [
        {"form": "cloth", "colour": "#cc2020", "print": "dots", "wear": "nose_out", "crop": "none", "seed": 3},
        {
            "form": "surgical",
            "colour": "#1ca0f4",
            "crop": "face",
            "max_yaw": 60,
            "min_trust": "0.3",
            "occluders": "keep",
        },
        {"form": "cloth", "texture": file("my check.png", TEXTURE), "crop": "none", "faces": "all"},
        {"form": "world:cloth", "crop": "none", "seed": "-4", "wear": "under_chin"},
    ],
    ids=["print", "own colour", "texture", "world"],
)
def test_the_command_and_the_code_give_the_bytes_that_are_shown(
    server: PlayServer, asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = attempt(server, photo=file(NAME, PORTRAIT), **asked)
    shown = base64.b64decode(answer["masked"])
    (tmp_path / NAME).write_bytes(PORTRAIT)
    (tmp_path / "my check.png").write_bytes(TEXTURE)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(answer["command"])
    assert words[0] == "maskgen"
    result = CliRunner().invoke(main, [*words[1:], "--workers", "1"])
    assert result.exit_code == 0, result.output
    (written,) = (tmp_path / "masked" / "faces").rglob("*.jpg")
    assert written.read_bytes() == shown
    exec(compile(answer["python"], "page", "exec"), {})  # noqa: S102
    assert (tmp_path / answer["name"]).read_bytes() == shown


@pytest.mark.parametrize("form", ["sunglasses", "shield"])
def test_a_kind_with_one_wearing_position_has_none_in_its_command(server: PlayServer, form: str) -> None:
    answer = attempt(server, photo=file("a.png", PORTRAIT), form=form, wear="nose_out", crop="none")
    assert "nose_out" not in answer["command"] + answer["python"]
    assert answer["facts"]["Mask"].startswith(form) and "," not in answer["facts"]["Mask"]


def test_what_is_shown_beside_the_mask_is_of_its_size(server: PlayServer) -> None:
    from maskgen.core.images import decode

    answer = attempt(server, photo=file("a.png", PORTRAIT), form="surgical", crop="face")
    assert (answer["width"], answer["height"]) == (160, 160)
    for name in ("masked", "bare", "parts"):
        assert decode(base64.b64decode(answer[name])).shape == (160, 160, 3)
    assert set(answer["legend"]) == {"cloth", "strap"}
    assert [len(face) for face in answer["points"]] == [136]


def test_each_face_is_told_and_none_is_counted_that_was_not_sought(server: PlayServer) -> None:
    from maskgen.core.images import decode

    one = portrait().image[:400, 100:400]
    masked = decode(base64.b64decode(attempt(server, photo=file("a.png", PORTRAIT), form="n95", crop="none")["masked"]))
    group = file("b.jpg", encode_image(np.hstack([one, masked, one]), "jpg"))
    facts = attempt(server, photo=group, form="cloth", faces="all", crop="none")["facts"]
    assert facts["Faces"] == "3 found, 2 masked"
    assert facts["Set aside"].startswith("already_masked: the face already wears a mask")
    for at in (1, 2):
        assert "trust 0." in facts[f"Face {at} of 2, from the left"]
    assert "Head" not in facts
    cut = attempt(server, photo=group, form="cloth", faces="all", crop="face")["facts"]
    assert cut["Faces"] == "3 found, 2 masked, the first is shown" and "Face 2 of 2" in cut
    facts = attempt(server, photo=group, form="cloth", faces="largest")
    assert facts.get("reason") == "already_masked" or facts["facts"]["Faces"] == "1 masked"


def test_a_picture_without_a_face_has_its_reason(server: PlayServer) -> None:
    grey = encode_image(np.full((200, 200, 3), 128, np.uint8), "png")
    assert attempt(server, photo=file("a.png", grey), form="n95")["reason"] == "no_face"
    wrong = attempt(server, photo=file("wrong.jpg", b"text"), form="n95")
    assert wrong["reason"] == "not_a_picture"
    assert wrong["said"] == "wrong.jpg is not a picture: no picture format that is known."
    large = encode_image(np.zeros((1001, 1000), np.uint8), "png")
    assert attempt(server, photo=file("a.png", large), form="n95")["reason"] == "too_many_pixels"
    assert attempt(server, photo=file("a.png", PORTRAIT), form="n95", max_yaw=0)["reason"] == "extreme_pose"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"form": "/etc"}, "there is no form '/etc'"),
        ({"form": "./cloth"}, "there is no form"),
        ({"form": "cloth", "colour": "/etc/passwd"}, "is no colour"),
        ({"form": "cloth", "print": "../x"}, "there is no print"),
        ({"form": "cloth", "wear": "high"}, "--wear high is unknown"),
        ({"form": "cloth", "seed": "x"}, "a whole number"),
        ({"form": "cloth", "seed": "1.5"}, "a whole number"),
        ({"form": "cloth", "max_yaw": "x"}, "are numbers"),
        ({"form": "cloth", "max_yaw": 99}, "--max-yaw 99.0 is out of range"),
        ({"form": "cloth", "crop": "half"}, "--crop half"),
        ({"form": "cloth", "texture": file("a.png", b"text")}, "cannot be printed"),
        ({"form": "cloth", "texture": {"name": 1}}, "no picture"),
        ({"form": "cloth", "photo": {"name": "a", "data": "%%%"}}, "no picture"),
        ({"form": "cloth", "photo": file("a.png", b"0" * 1_000_003)}, "larger than 1 MB"),
    ],
)
def test_what_the_page_does_not_offer_is_refused(server: PlayServer, asked: dict[str, Any], said: str) -> None:
    assert said in attempt(server, **({"photo": file("a.png", PORTRAIT)} | asked))["error"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\a\\b.png", "a,b=3:c.png", "x" * 5000, "", "-rf.png", "\x00\n"]
)
def test_names_from_the_browser_are_only_told(server: PlayServer, name: str) -> None:
    answer = attempt(server, photo=file(name, PORTRAIT), texture=file(name, TEXTURE), form="cloth", crop="face")
    for told in (answer["photo"], answer["texture"], answer["name"]):
        assert told and not set("/\\\n\0") & set(told) and len(told) < 250
    words = shlex.split(answer["command"])
    assert words[words.index("--kinds") + 1] == f"cloth:{answer['texture']}"


def test_other_hosts_origins_and_paths_are_refused(server: PlayServer) -> None:
    body = json.dumps({"photo": file("a.png", PORTRAIT), "form": "n95"}).encode()
    json_type = {"Content_Type": "application/json"}
    own = server.url.rstrip("/")
    assert send(server, "/", Host="evil.example:80")[0] == 403
    assert send(server, "/try", body, Host="evil.example", **json_type)[0] == 403
    assert send(server, "/try", body, Origin="http://evil.example", **json_type)[0] == 403
    assert send(server, "/try", body, Origin="null", **json_type)[0] == 403
    assert send(server, "/try", body, Content_Type="text/plain")[0] == 415
    assert send(server, "/try", body, Origin=own, **json_type)[0] == 200
    assert send(server, "/", Host="[::1")[0] == 403
    assert send(server, "/try", body, Origin="http://[", **json_type)[0] == 403
    for path in ("/../../etc/passwd", "/page/play.js", "/play.html", "/%2e%2e/x", "/try"):
        assert send(server, path)[0] == 404
    for name in ("127.0.0.1", "localhost", "[::1]:99"):
        assert send(server, "/play.css", Host=name)[0] == 200


def test_a_body_is_bounded_before_it_is_read(server: PlayServer) -> None:
    for length, status in (("99999999999", 413), ("9" * 5000, 413), ("-1", 411), ("", 411)):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.putrequest("POST", "/try")
        connection.putheader("Content-Type", "application/json")
        if length:
            connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()
    for body in (b"", b"[]", b"{", b"[" * 90_000):
        assert send(server, "/try", body, Content_Type="application/json")[0] == 400


def test_a_browser_that_goes_away_leaves_no_traceback(server: PlayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[object] = []
    closed = threading.Event()
    shut = server.shutdown_request
    monkeypatch.setattr(server, "handle_error", lambda *_: faults.append(sys.exc_info()[1]))
    monkeypatch.setattr(server, "shutdown_request", lambda request: (shut(request), closed.set()))
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        head = f"POST /try HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: 50000\r\n\r\n{{".encode())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset
    assert closed.wait(20)
    assert faults == []


def test_nothing_is_written_to_the_disk(server: PlayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = []

    def watch(event: str, values: tuple[Any, ...]) -> None:
        if event == "open" and watching and isinstance(values[2], int) and values[2] & (os.O_WRONLY | os.O_RDWR):
            opened.append(values[0])

    watching = True
    sys.addaudithook(watch)
    attempt(server, photo=file("a.png", PORTRAIT), texture=file("b.png", TEXTURE), form="cloth")
    watching = False
    assert opened == [] and list(tmp_path.iterdir()) == []


def test_the_page_says_what_it_may_load(server: PlayServer) -> None:
    status, headers, body = send(server, "/")
    assert status == 200 and b"https:" not in body and b"http:" not in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Python" not in headers["Server"]
    assert b"https:" not in send(server, "/play.css")[2]
    assert list(offered()["forms"])[:3] == ["surgical", "n95", "kn95"]


def test_a_port_in_use_and_a_host_that_is_none_are_told(server: PlayServer) -> None:
    with pytest.raises(UserError, match=f"Port {server.server_port} is in use"):
        PlayServer(PlaySettings(port=server.server_port))
    with pytest.raises(UserError, match="cannot be served on"):
        PlayServer(PlaySettings(host="203.0.113.7", port=0))
    with pytest.raises(UserError, match="--port 70000"):
        PlaySettings(port=70000)


def test_with_another_host_addresses_and_the_own_name_are_known() -> None:
    with PlayServer(PlaySettings(host="0.0.0.0", port=0)) as open_to_all:
        assert open_to_all.knows("192.168.1.5:8765") and open_to_all.knows("localhost")
        assert not open_to_all.knows("evil.example") and not open_to_all.knows("")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_the_command_says_where_the_page_is_and_ends_well(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(server: PlayServer) -> None:
        raise KeyboardInterrupt

    seen: list[str] = []
    monkeypatch.setattr(PlayServer, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", seen.append)
    result = CliRunner().invoke(main, ["play", "--port", "0", "--host", host])
    assert result.exit_code == 0, result.output
    opened = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # no address to open in a browser
    assert f"The page is at http://{opened}:" in result.output and result.output.endswith("Ended.\n")
    assert ("no password" in result.output) == (host != "127.0.0.1")
    assert len(seen) == 1 and seen[0] in result.output


def test_the_end_waits_for_the_try_at_work_and_no_other_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's end while a network is compiled is an abort."""
    server = PlayServer(PlaySettings(port=0, browser=False))
    begun, go = threading.Event(), threading.Event()
    done: list[str] = []

    def slow(*_: object) -> dict[str, Any]:
        begun.set()
        assert go.wait(60)
        done.append("tried")
        return {}

    monkeypatch.setattr(Studio, "_try", slow)
    asked = {"photo": {"name": "a.png", "data": ""}, "form": "n95"}
    trying = threading.Thread(target=server.studio.attempt, args=(asked,), daemon=True)
    trying.start()
    assert begun.wait(60)

    def end() -> None:
        server.server_close()
        done.append("ended")

    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    ending.join(0.2)
    go.set()
    trying.join(60)
    ending.join(60)
    assert done == ["tried", "ended"]
    assert server.studio._one_at_a_time.locked()
