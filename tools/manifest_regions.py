# SPDX-License-Identifier: MIT
"""manifest_regions.py - [region.NAME] of system/manifest.toml, for mkmanifest.py: memory that init owns and
that outlives its users. docs/manifest.md explains the keys, protocols/manifest_format.h the records."""

import re
import struct

READ, WRITE, GRANT, REVOKE = 1, 2, 8, 16
REGION = 7
KINDS = {"dma": 1, "state": 2}
KEEP = 1
REGIONS_MAX, USERS_MAX = 96, 12
WHOLE_SHARE = 10000
FRAMES_MAX = 0xFFFFFFFF
KEYS = {"kind": (True, str), "each": (False, bool), "frames": (True, dict), "keep": (False, bool),
        "users": (True, dict)}
WORDS = {"read": READ, "write": WRITE, "delegate": GRANT | REVOKE}


def share_of(value: object) -> int | None:
    """Parts of WHOLE_SHARE in "4%" or "0.25%"; None when it is no share."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,3}(\.\d{1,2})?%", value):
        return None
    parts = round(float(value[:-1]) * WHOLE_SHARE / 100)
    return parts if 0 < parts <= WHOLE_SHARE else None


class Region:
    """One [region.NAME], and the records that it becomes: one, or with `each` one for each instance of its
    users."""

    def __init__(self, manifest, name: str, table: dict) -> None:
        self.manifest, self.name, self.table = manifest, name, table
        self.floor = self.ceiling = self.share = 0

    def error(self, text: str, key: str | None = None, word: object = None) -> None:
        self.manifest.error(self.manifest.line_of(self.name, key, word, "region"),
                            f"region {self.name}: {text}")

    def check_keys(self, well_typed, type_text: dict) -> bool:
        good = True
        for key, value in self.table.items():
            if key not in KEYS:
                self.error(f"unknown key '{key}'", key)
                good = False
            elif not well_typed(value, KEYS[key][1]):
                self.error(f"{key} must be {type_text[KEYS[key][1]]}", key)
                good = False
        for key, (needed, _) in KEYS.items():
            if needed and key not in self.table:
                self.error(f"missing key '{key}'")
                good = False
        return good

    def check_frames(self) -> None:
        frames = self.table["frames"]
        for key in frames:
            if key not in ("floor", "share", "ceiling"):
                self.error(f"frames has floor, share and ceiling, and no '{key}'", "frames", key)
        self.floor, self.ceiling = frames.get("floor"), frames.get("ceiling")
        for key in ("floor", "ceiling"):
            value = frames.get(key, 1)
            if type(value) is not int or not 1 <= value <= FRAMES_MAX:
                self.error(f"frames: {key} is a number of frames of 4 KiB, from 1 on", "frames")
                self.floor = self.ceiling = 1
        if "floor" not in frames:
            self.error("frames must have a floor", "frames")
            self.floor = 1
        if "share" in frames:
            self.share = share_of(frames["share"]) or 0
            if self.share == 0:
                self.error('frames: share is as "4%" or "0.25%", at most "100%"', "frames")
            if self.ceiling is None:
                self.ceiling = FRAMES_MAX
        elif self.ceiling is not None:
            self.share = WHOLE_SHARE
        else:
            self.ceiling = self.floor
        if self.ceiling < self.floor:
            self.error(f"the ceiling {self.ceiling} is below the floor {self.floor}", "frames")

    def rights(self, user: str) -> int:
        value = self.table["users"][user]
        words = value.split(", ") if isinstance(value, str) else []
        if "read" not in words or len(set(words)) != len(words) or set(words) - set(WORDS):
            self.error(f"users: {user} has \"read\", and with it \"write\" and \"delegate\", as in "
                       "\"read, write\"", "users", user)
            return READ
        return sum(WORDS[word] for word in words)

    def check_users(self, counts: dict[str, int]) -> int:
        """How many records the region becomes; 0: its users are unknown."""
        users = self.table["users"]
        for user in users:
            if user not in counts:
                self.error(f"users: there is no service '{user}'", "users", user)
                return 0
        if not users:
            self.error("nobody uses it: users is empty", "users")
            return 0
        instances = {counts[user] for user in users}
        if self.table.get("each", False):
            if len(instances) != 1 or instances == {0}:
                self.error("each = true: its users must have instances, all the same number (count = N)",
                           "each")
                return 0
            return instances.pop()
        if self.table["kind"] == "state":
            writers = [user for user in users if self.rights(user) & WRITE]
            if len(writers) != 1 or counts[writers[0]] > 1:
                self.error("kind \"state\" has one service that writes; with each = true, one of each "
                           "instance", "users")
        if sum(max(1, counts[user]) for user in users) > USERS_MAX:
            self.error(f"more than {USERS_MAX} users", "users")
        return 1


def add_regions(regions: list[Region], services: list, name_ok) -> list[bytes]:
    """Checks the regions, gives each service its grants, and returns the records."""
    counts: dict[str, int] = {}
    for service in services:
        counts[service.base] = 0 if service.instance is None else service.instance + 1
    records: list[bytes] = []
    for region in regions:
        if not name_ok(region.name, 3):
            region.error(f"'{region.name}' cannot be the name of a region (a-z, 0-9, _ and -, at most "
                         "20 characters)")
        if region.table["kind"] not in KINDS:
            region.error(f"kind is one of {', '.join(KINDS)}", "kind")
            continue
        region.check_frames()
        each = region.table.get("each", False)
        first, instances = len(records), region.check_users(counts)
        for number in range(instances):
            name = f"{region.name}.{number}" if each else region.name
            records.append(struct.pack("<24sIIQQII", name.encode().ljust(24, b"\0"),
                                       KINDS[region.table["kind"]],
                                       KEEP if region.table.get("keep", False) else 0, region.floor,
                                       region.ceiling, region.share, 0))
        for service in services:
            if instances and service.base in region.table["users"]:
                index = first + ((service.instance or 0) if each else 0)
                service.add(region.name, REGION, region.rights(service.base), index, 0, 0, "users")
    if len(records) > REGIONS_MAX:
        regions[-1].error(f"more than {REGIONS_MAX} regions, instances counted")
    return records
