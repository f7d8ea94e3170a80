"""From source to a stack that serves, unplugged: built both ways, bundled, loaded into an empty engine, spoken to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import wait_until
from tests.smoke.conftest import release
from tests.stack import Stack, unpack

if TYPE_CHECKING:
    from tests.engine import Engine

SERVER, WEB = "xiaozhi-esp32-server", "xiaozhi-esp32-server-web"
DB, REDIS = "xiaozhi-esp32-server-db", "xiaozhi-esp32-server-redis"
FUNCTIONS = "plugins_func/functions"


@pytest.fixture(scope="module")
def stack(mini: dict[str, Any], engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The whole stack, brought up as the deploy does: data and web first, then what they made for the server."""
    folder = tmp_path_factory.mktemp("host")
    made = Stack(engine, unpack(Path(mini["bundle"]), folder), folder / "root")
    subprocess.run([made.bundle / "scripts" / "verify.sh"], check=True)
    made.load()
    made.lay_out()
    made.up(DB, REDIS)
    made.up(WEB)
    wait_until(lambda: made.http("GET", "8002/xiaozhi/health")["status"] == 200, seconds=60, what="the API")
    made.first_run()
    made.up(SERVER)
    wait_until(lambda: made.http("GET", "8003/health")["status"] == 200, seconds=60, what="the server")
    return made


def test_the_result_tells_what_a_script_needs(mini: dict[str, Any]) -> None:
    assert [stage["name"] for stage in mini["stages"]] == ["audit", "base", "build", "export", "package"]
    assert {image["role"] for image in mini["images"]} == {"server", "web", "db", "redis"}
    assert Path(mini["bundle"]).stat().st_size == mini["bytes"]


def test_the_host_reaches_nothing_outside(stack: Stack) -> None:
    for address, port in (("1.1.1.1", "443"), ("8.8.8.8", "53"), ("172.17.0.1", "2375")):
        assert stack.reaches(address, port) is False


def test_the_server_answers_through_a_plugin(stack: Stack) -> None:
    (answer,) = stack.websocket("8000/xiaozhi/v1/", {"type": "listen", "text": "现在几点了"})
    assert answer["function"] == "get_time"
    assert "现在是" in answer["text"]


def test_the_page_is_served(stack: Stack) -> None:
    answer = stack.http("GET", "8002/")
    assert answer["status"] == 200
    assert "<html" in answer["body"].lower()


def test_the_api_writes_and_reads_users_with_chinese_names(stack: Stack) -> None:
    assert stack.http("POST", "8002/xiaozhi/users", {"username": "王小明"})["status"] == 201
    users = json.loads(stack.http("GET", "8002/xiaozhi/users")["body"])["users"]
    assert "王小明" in [user["username"] for user in users]


def test_redis_counts(stack: Stack) -> None:
    first = json.loads(stack.http("POST", "8002/xiaozhi/count")["body"])["count"]
    second = json.loads(stack.http("POST", "8002/xiaozhi/count")["body"])["count"]
    assert second == first + 1


def test_uploads_come_back(stack: Stack) -> None:
    assert stack.http("POST", "8002/xiaozhi/upload/a b.txt".replace(" ", "%20"), {"x": "内容"})["status"] == 201
    assert json.loads(stack.http("GET", "8002/xiaozhi/upload/a%20b.txt")["body"]) == {"x": "内容"}


def test_a_hot_module_edited_on_the_host_is_live_after_a_restart(stack: Stack) -> None:
    before = json.loads(stack.http("GET", "8003/health")["body"])["code"]
    mount = next(mount for mount in stack.release["mounts"] if mount["bundle"] == FUNCTIONS)
    module = stack.root / mount["source"] / "get_time.py"
    module.write_text(module.read_text().replace("现在是", "北京时间"))
    stack.compose("restart", SERVER)
    wait_until(lambda: stack.http("GET", "8003/health")["status"] == 200, seconds=60, what="the server")
    (answer,) = stack.websocket("8000/xiaozhi/v1/", {"type": "listen", "text": "现在几点了"})
    assert "北京时间" in answer["text"]
    assert json.loads(stack.http("GET", "8003/health")["body"])["code"] != before


def test_every_container_runs_the_image_of_the_release(stack: Stack) -> None:
    shipped = {image["config"] for image in stack.release["images"]}
    running = stack.engine.docker("ps", "--quiet").split()
    assert set(stack.engine.docker("inspect", "--format", "{{.Image}}", *running).split()) == shipped


def test_plan_b_serves_alone_in_single_mode(stack: Stack, engine: Engine, tmp_path: Path) -> None:
    stack.compose("down")
    result = release(tmp_path, "--source", "examples/mini", "--strategy", "two-stage", "--mode", "single")
    assert [image["role"] for image in result["images"]] == ["server"]
    alone = Stack(engine, unpack(Path(result["bundle"]), tmp_path), tmp_path / "root")
    alone.load()
    alone.lay_out()
    alone.up(SERVER)
    wait_until(lambda: alone.http("GET", "8003/health")["status"] == 200, seconds=60, what="the server")
    (answer,) = alone.websocket("8000/xiaozhi/v1/", {"type": "listen", "text": "what time is it"})
    assert answer["function"] == "get_time"
    alone.compose("down")
