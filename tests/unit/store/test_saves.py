from __future__ import annotations

from offline.store.model import Inspected
from offline.store.saves import estimate, shared_out


def image(size: int, *layers: str) -> Inspected:
    return Inspected(id="", diff_ids=layers, size=size)


# As the application's are: a server on a base of its own, three smaller images on Debian.
IMAGES = {
    "server": image(2100, "science", "packages", "app"),
    "web": image(400, "debian", "java"),
    "db": image(500, "debian", "mysql"),
    "redis": image(120, "debian", "redis"),
    "base": image(1400, "science"),
    "debian": image(100, "debian"),
}


def test_what_is_shared_is_read_once_and_the_shortest_group_first() -> None:
    assert shared_out(IMAGES, 2) == (("web", "db", "redis", "debian"), ("server", "base"))


def test_one_save_where_one_is_wished_or_one_image_is_missing() -> None:
    assert shared_out(IMAGES, 1) == (tuple(IMAGES),)
    assert shared_out({"web": IMAGES["web"]}, 2) == (("web",),)
    assert shared_out({}, 2) == ()


def test_an_image_that_others_stand_on_costs_nothing_beside_them() -> None:
    images = {"app": image(1010, "big", "app"), "tool": image(1020, "big", "tool"), "big": image(1000, "big")}
    assert shared_out(images, 2) == (("app", "tool", "big"),)


def test_layers_that_images_share_are_estimated_once() -> None:
    assert estimate(IMAGES) == 2100 + 400 + (500 - 100) + (120 - 100)
