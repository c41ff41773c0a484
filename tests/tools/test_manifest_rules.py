# SPDX-License-Identifier: MIT
"""test_manifest_rules.py - every rule of tools/mkmanifest.py, on a manifest of its own.

test_mkmanifest.py does the same as a user would, with the system's manifest and the command line.
"""

import importlib.util
import struct
import tempfile
from pathlib import Path

from qemu import ROOT
from testlib import Suite
from tests.system.with_services import needs_of, programs

suite = Suite("tools")
ANY = 0xFFFFFFFF

spec = importlib.util.spec_from_file_location("mkmanifest", ROOT / "tools/mkmanifest.py")
mkmanifest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mkmanifest)

GOOD = """\
# line 1
[service.serial]
file = "uart"
restart = "always"
priority = 40
ceiling = 40
frames = 64
bytes = 65536
provides = { requests = "serial" }
ports = [{ name = "ports", first = 0x3f8, count = 8 }]
interrupts = [{ name = "interrupt", line = 4 }]
log = "write"

[service.shell]
file = "shell"
restart = "on-demand"
priority = 20
ceiling = 21
frames = 64
bytes = 65536
uses = { serial = "serial", manager = "manager" }
memory = [
    "statistics",
]
arguments = "hello"
kernel_arguments = true
affinity = 1
"""


def needs(required: str, optional: str = "") -> str:
    """What a program looks up, as the build finds it."""
    lines = [(how, name) for how, names in (("required", required), ("optional", optional)) for name in names.split()]
    return "".join(f"{how} {name} {'lib/mnos/log.c' if name == 'log' else 'some/main.c'}:{number}\n"
                   for number, (how, name) in enumerate(lines, 1))


def run(text: str, extra: dict[str, str] | None = None) -> tuple[list[str], bytes | None]:
    """Checks a manifest for two programs, or `extra` of others; returns the errors and the binary."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        programs = {"uart": needs("requests ports interrupt", "log"),
                    "shell": needs("serial", "manager statistics log")} | (extra or {})
        for name, content in programs.items():
            (root / f"{name}.needs").write_text(content)
        (root / "system").mkdir()
        (root / "system/manifest.toml").write_text(text)
        manifest = mkmanifest.Manifest(root / "system/manifest.toml")
        binary = mkmanifest.check(manifest, mkmanifest.read_programs(root.glob("*.needs")))
        return [line.removeprefix(folder + "/") for line in manifest.errors], binary


def expect(errors: list[str], *wanted: str) -> None:
    """Each wanted "line: text" is the beginning of an error, in order, and there is no other."""
    assert len(errors) == len(wanted), errors
    for error, want in zip(errors, wanted):
        assert error.startswith(f"system/manifest.toml:{want}"), f"{error!r} is not {want!r}"


def changed(old: str, new: str, extra: dict[str, str] | None = None) -> list[str]:
    assert old in GOOD
    errors, binary = run(GOOD.replace(old, new, 1), extra)
    assert (binary is None) == bool(errors)
    return errors


def test_a_good_manifest_compiles() -> None:
    errors, binary = run(GOOD)
    assert not errors, errors
    magic, version, size, endpoints, services, grants, _ = struct.unpack_from("<QIIIIII", binary)
    assert (magic, version, size) == (mkmanifest.MAGIC, 3, len(binary))
    assert (endpoints, services, grants) == (3, 2, 7)
    assert len(binary) == 40 + 3 * 32 + 2 * 200 + 7 * 56
    name, provider, _ = struct.unpack_from("<24sII", binary, 40 + 2 * 32)
    assert (name.rstrip(b"\0"), provider) == (b"serial", 0)
    shell = 40 + 3 * 32 + 200
    fields = struct.unpack_from("<24s24s96sQQIIIIIIIIII", binary, shell)
    assert [f.rstrip(b"\0") for f in fields[:3]] == [b"shell", b"shell", b"hello"]
    assert fields[3:] == (64, 65536, 20, 21, 1, 4, 2, 1, 4, 3, 0, 5)


def test_the_real_manifest_compiles() -> None:
    manifest = mkmanifest.Manifest(ROOT / "system/manifest.toml")
    assert mkmanifest.check(manifest, mkmanifest.read_programs(needs_of(programs()))) is not None, manifest.errors


def test_the_same_input_gives_the_same_bytes() -> None:
    assert run(GOOD)[1] == run(GOOD)[1]


def test_toml_errors_name_their_line() -> None:
    expect(changed("priority = 40", "priority = = 40"), "5: ")


def test_unknown_keys() -> None:
    expect(changed("priority = 40", "priority = 40\ncolour = 3"),
           "6: service serial: unknown key 'colour'")
    expect(changed("# line 1", "version = 3"), "1: unknown key 'version'")


def test_missing_keys() -> None:
    expect(changed("frames = 64\n", ""), "2: service serial: missing key 'frames'")


def test_wrong_types() -> None:
    expect(changed("priority = 40", 'priority = "high"'), "5: service serial: priority must be a number")
    expect(changed("priority = 40", "priority = true"), "5: service serial: priority must be a number")


def test_an_unknown_program() -> None:
    expect(changed('file = "uart"', 'file = "nothing"'), "3: service serial: unknown file",
           "1: no service has file = \"uart\", and that program does not say BOOTSTRAP_LAUNCHED")


def test_a_program_without_a_service() -> None:
    expect(changed("# line 1", "# line 1", {"forgotten": needs("")}), "1: no service has file = \"forgotten\"")
    expect(changed("# line 1", "# line 1", {"mine": "required requests mine/new/main.c:7\nrequired ports lib/driver/ports.c:3\n"}),
           "1: no service has file = \"mine\", and that program does not say BOOTSTRAP_LAUNCHED; "
           "a service of it would be in mine/new/manifest.toml")
    expect(changed("# line 1", "# line 1", {"keys": "launched - programs/keys/main.c:9\n" + needs("terminal")}))


def test_an_unknown_endpoint() -> None:
    expect(changed('serial = "serial"', 'serial = "modem"'),
           "21: service shell: uses: no service provides an endpoint 'modem'")


def test_an_unknown_object() -> None:
    expect(changed('"statistics"', '"everything"'),
           "23: service shell: memory: nothing is called 'everything'")


def test_a_missing_grant() -> None:
    expect(changed('interrupts = [{ name = "interrupt", line = 4 }]\n', ""),
           "2: service serial: missing grant: some/main.c:3 looks up 'interrupt'")


def test_an_unused_grant() -> None:
    expect(changed("arguments =", 'log = "read"\narguments ='), )
    expect(changed("kernel_arguments = true",
                   'ports = [{ name = "speaker", first = 0x61, count = 1 }]'),
           "26: service shell: unused grant: the program 'shell' never looks up 'speaker'")
    expect(changed('"statistics",', '"statistics",\n    "acpi",'), "24: service shell: unused grant")


def test_a_look_up_in_vain() -> None:
    def vain(line: str) -> list[str]:
        return changed("# line 1", "# line 1", {"shell": needs("serial", "manager statistics") + line})
    expect(vain("optional cach programs/shell/main.c:7\n"),
           "14: service shell: nothing grants 'cach', which programs/shell/main.c:7 looks up")
    expect(vain("listed cach programs/shell/main.c:7\n"))
    expect(vain("optional cach lib/client/out.c:7\n"))
    expect(vain("optional cach programs/shell/main.c:7\nlaunched - programs/shell/main.c:1\n"))


def test_a_port_range_of_two_services() -> None:
    errors = changed("kernel_arguments = true",
                     'ports = [{ name = "log", first = 0x3ff, count = 1 }]')
    expect(errors, "26: service shell: duplicate grant: port 0x3ff belongs to service serial")


def test_an_interrupt_of_two_services() -> None:
    expect(changed("kernel_arguments = true", 'interrupts = [{ name = "log", line = 4 }]'),
           "26: service shell: duplicate grant: interrupt line 0x4 belongs to service serial")


def test_an_endpoint_of_two_services() -> None:
    expect(changed("kernel_arguments = true", 'provides = { log = "serial" }'),
           "26: service shell: duplicate grant: endpoint 'serial' is provided by serial")
    expect(changed("kernel_arguments = true", 'provides = { log = "manager" }'),
           "26: service shell: duplicate grant: endpoint 'manager' is provided by init")


def test_a_service_that_hands_out_sessions() -> None:
    old = 'provides = { requests = "serial" }'
    errors, binary = run(GOOD.replace(old, 'provides = { requests = { endpoint = "serial", exports = 16 } }'))
    assert not errors, errors
    assert binary.count(struct.pack("<24sII", b"requests", mkmanifest.SERVE, 1 | 2 | 8)) == 1
    for value in ('{ endpoint = "serial" }', '{ endpoint = "serial", exports = 0 }',
                  '{ endpoint = "serial", exports = 5000 }', '{ endpoint = "serial", exports = true }',
                  '{ endpoint = "serial", exports = 1, more = 1 }'):
        errors = changed(old, f"provides = {{ requests = {value} }}")
        assert errors[0].startswith("system/manifest.toml:9: service serial: provides: requests is the name"), errors


def test_a_name_given_twice() -> None:
    expect(changed('name = "interrupt", line = 4', 'name = "ports", line = 4'),
           "11: service serial: duplicate grant", "2: service serial: missing grant")


def test_services_that_wait_for_each_other() -> None:
    text = GOOD.replace('log = "write"', 'log = "write"\nuses = { back = "shell" }').replace(
        "kernel_arguments = true", 'provides = { front = "shell" }')
    errors, binary = run(text, {
        "uart": needs("requests ports interrupt back", "log"),
        "shell": needs("serial front manager statistics")})
    assert binary is None
    expect(errors, "13: service serial: services wait for each other: serial -> shell -> serial")


def test_priorities_and_other_numbers_out_of_range() -> None:
    expect(changed("priority = 20", "priority = 22"), "17: service shell: priority 22 is above")
    expect(changed("ceiling = 21", "ceiling = 64"), "18: service shell: ceiling is 64, outside 0 to 63")
    expect(changed("affinity = 1", "affinity = 32"), "27: service shell: affinity is 32")
    expect(changed("frames = 64", "frames = 1"), "7: service serial: frames is 1")
    expect(changed("count = 8", "count = 70000"), "10: service serial: ports are 0 to 65535")
    expect(changed("line = 4", "line = 256"), "11: service serial: interrupt lines are 0 to 191")


def test_grace_and_shares() -> None:
    expect(changed("affinity = 1", "grace = 0"), "27: service shell: grace is 0, outside 1 to 3600")
    for share in ('"50"', '"0%"', '"100.5%"', "50", '"1.234%"'):
        expect(changed("frames = 64", f"frames = {{ share = {share} }}"),
               "7: service serial: frames is a number, or { share")
    expect(changed("frames = 64", 'frames = { part = "5%" }'), "7: service serial: frames is a number, or { share")
    assert not changed("frames = 64", 'frames = { share = "100%" }')


def test_policies_and_log_rights() -> None:
    expect(changed('"always"', '"sometimes"'), "4: service serial: restart is one of")
    expect(changed('log = "write"', 'log = "all"'), "12: service serial: log is")


def test_names_that_do_not_fit() -> None:
    expect(changed("[service.shell]", "[service.init]"),
           "14: service init: 'init' cannot be the name of a service")
    expect(changed("[service.shell]", "[service.UPPER]"), "14: service UPPER: 'UPPER' cannot be the name of a service (a-z,")


REGION = """
[region.cache]
kind = "dma"
frames = { floor = 16, share = "4%", ceiling = 600 }
users = { serial = "read, write, delegate" }
"""
CACHED = {"uart": needs("requests ports interrupt cache", "log")}


def with_region(old: str = "kind", new: str = "kind", text: str = GOOD) -> tuple[list[str], bytes | None]:
    assert old in REGION
    return run(text + REGION.replace(old, new, 1), CACHED)


def test_a_region() -> None:
    errors, binary = with_region()
    assert not errors, errors
    assert binary.endswith(struct.pack("<24sIIQQII", b"cache", 1, 0, 16, 600, 400, 0))
    assert binary.count(struct.pack("<24sIIQQ", b"cache", 7, 1 | 2 | 8 | 16, 0, 0)) == 1
    errors, binary = with_region(', share = "4%", ceiling = 600', '')
    assert not errors and binary.endswith(struct.pack("<IIQQII", 1, 0, 16, 16, 0, 0)), errors


def test_a_region_that_is_wrong() -> None:
    first = len(GOOD.splitlines()) + 2
    for old, new, line, text in (
            ('"dma"', '"disk"', 1, "kind is one of dma, state"),
            ('kind = "dma"', "", 0, "missing key 'kind'"),
            ('kind = "dma"', 'kind = "dma"\ncolour = 3', 2, "unknown key 'colour'"),
            ("floor = 16", "floor = 0", 2, "frames: floor is a number"),
            ("floor = 16, ", "", 2, "frames must have a floor"),
            ('"4%"', '"4"', 2, "frames: share is as"),
            ('"4%"', '"101%"', 2, "frames: share is as"),
            ("ceiling = 600", "ceiling = 15", 2, "the ceiling 15 is below the floor 16"),
            ("ceiling = 600", "ceiling = 600, roof = 1", 2, "frames has floor, share and ceiling"),
            ("serial =", "modem =", 3, "users: there is no service 'modem'"),
            ('serial = "read, write, delegate"', "", 3, "nobody uses it"),
            ("read, write, delegate", "write", 3, 'users: serial has "read"'),
            ("read, write, delegate", "read, erase", 3, 'users: serial has "read"'),
            ('kind = "dma"', 'each = true\nkind = "dma"', 1, "each = true: its users must have instances")):
        errors, binary = with_region(old, new)
        assert binary is None
        assert errors[0].startswith(f"system/manifest.toml:{first + line}: region cache: {text}"), (old, errors)


def test_state_has_one_writer() -> None:
    more = {"shell": needs("serial manager statistics cache")}
    text = GOOD + REGION.replace('"dma"', '"state"').replace("delegate\" }", 'delegate", shell = "read{}" }}')
    assert not run(text.replace("{}", "").replace("}}", "}"), CACHED | more)[0]
    errors, _ = run(text.replace("{}", ", write").replace("}}", "}"), CACHED | more)
    assert "has one service that writes" in errors[0], errors


def test_instances() -> None:
    text = GOOD.replace("[service.shell]\n", "[service.shell]\ncount = 2\nprovides = { requests = \"shell\" }\n")
    text += REGION.replace("serial =", "shell =").replace("kind", "each = true\nkind")
    text = text.replace('log = "write"', 'log = "write"\nuses = { front = "other" }', 1)
    text += """
[service.other]
file = "shell"
restart = "when-started"
priority = 1
ceiling = 1
frames = { share = "12.5%" }
bytes = 65536
provides = { requests = "other" }
uses = { shell = "shell", one = "shell.1" }
"""
    extra = {"shell": needs("", "serial manager statistics cache requests shell one"),
             "uart": needs("requests ports interrupt front", "log")}
    errors, binary = run(text.replace('uses = { front = "other" }\n', ""), extra | {
        "uart": needs("requests ports interrupt", "log")})
    assert not errors, errors
    assert struct.unpack_from("<QIIIIII", binary)[3:] == (6, 4, 18, 2)
    for name in (b"shell.0", b"shell.1", b"cache.0", b"cache.1", b"one"):
        assert name + b"\0" in binary, name
    assert struct.pack("<QQIIIIIIIIII", 0, 65536, 1, 1, 0xFFFFFFFF, 4, 3, 0, 14, 4, 1250, 5) in binary
    assert any("wait for each other" in error for error in run(text, extra)[0])
    errors, _ = run(text.replace("count = 2", "count = 17"), extra)
    assert "service shell: count is 1 to 16" in errors[0], errors


def uses(value: str, extra: str = "") -> tuple[list[str], bytes | None]:
    old = 'manager = "manager"'
    assert old in GOOD
    return run(GOOD.replace(old, f"manager = {value}", 1) + extra)


def test_events_of_a_client() -> None:
    errors, binary = run(GOOD.replace('serial = "serial"', 'serial = { endpoint = "serial", events = [0, 4] }'))
    assert not errors, errors
    assert struct.pack("<24sIIQQII", b"serial", 2, 2, 2, 0x11, 0, 0) in binary
    for bits, text in (("62", "event 62 of serial is the manager's"), ("63", "event 63 of serial is the manager's"),
                       ("64", "the events of serial are"), ("-1", "the events of serial are"),
                       ("true", "the events of serial are")):
        errors = changed('serial = "serial"', f'serial = {{ endpoint = "serial", events = [{bits}] }}')
        assert errors[0].startswith(f"system/manifest.toml:21: service shell: uses: {text}"), errors
    assert "does not take" in uses('{ endpoint = "manager", events = [1] }')[0][0]
    assert "is the name of an endpoint" in uses('{ endpoint = "manager", colour = 1 }')[0][0]


def test_who_only_sends_events_waits_for_nobody() -> None:
    text = GOOD.replace('log = "write"', 'log = "write"\nuses = { back = { endpoint = "shell", events = [1], '
                        'calls = false } }').replace("kernel_arguments = true", 'provides = { front = "shell" }')
    extra = {"uart": needs("requests ports interrupt back", "log"),
             "shell": needs("serial front manager statistics")}
    assert not run(text, extra)[0]
    assert "wait for each other" in run(text.replace(", calls = false", ""), extra)[0][0]
    assert "is for who sends events only" in run(text.replace("events = [1], ", ""), extra)[0][0]


def test_who_may_start_some_services() -> None:
    errors, binary = uses('{ endpoint = "manager", start = ["serial"] }')
    assert not errors, errors
    assert struct.pack("<24sIIQQII", b"manager", 2, 2, 0, 0, 1, 1) in binary
    assert struct.pack("<24sIIQQII", b"serial", 8, 0, 0, 1, 0, 0) in binary
    assert "no service 'modem' to start" in uses('{ endpoint = "manager", start = ["modem"] }')[0][0]
    assert "start of manager is a list" in uses('{ endpoint = "observer", start = ["serial"] }')[0][0]
    assert "start of manager is a list" in uses('{ endpoint = "manager", start = [] }')[0][0]


def test_a_service_says_who_may_start_it() -> None:
    asking = GOOD.replace("[service.serial]", '[service.serial]\nstarted_by = ["shell"]', 1)
    errors, _ = run(asking)
    assert "started_by: 'shell' is no service with a list" in errors[0], errors
    errors, binary = run(asking.replace('manager = "manager"', 'manager = { endpoint = "manager", start = ["shell"] }', 1))
    assert not errors, errors
    assert struct.pack("<24sIIQQII", b"serial", 8, 0, 0, 1, 0, 0) in binary


def test_what_is_handed_on() -> None:
    errors, binary = run(GOOD.replace("frames = 64", "delegate = true\nframes = 64", 1))
    assert not errors, errors
    assert struct.pack("<24sIIQQ", b"ports", 3, 27, 0x3f8, 8) in binary
    assert struct.pack("<24sIIQQ", b"interrupt", 4, 27, 4, 1) in binary
    assert "delegate is about" in changed("kernel_arguments = true", "delegate = true")[0]


def test_ports_that_two_services_share() -> None:
    second = 'ports = [{ name = "config", first = 0x3ff, count = 2, shared = true }]\nkernel_arguments = true'
    more = {"shell": needs("serial config", "manager statistics")}
    both = GOOD.replace("count = 8 }", "count = 8, shared = true }").replace("kernel_arguments = true", second)
    errors, binary = run(both.replace("frames = 64", "delegate = true\nframes = 64", 1), more)
    assert not errors, errors
    # Nobody hands them on.
    assert struct.pack("<24sIIQQI", b"ports", 3, 3, 0x3f8, 8, 1) in binary
    assert struct.pack("<24sIIQQI", b"config", 3, 3, 0x3ff, 2, 1) in binary
    errors, _ = run(GOOD.replace("kernel_arguments = true", second), more)  # one of them did not say so
    assert len(errors) == 1 and "duplicate grant: port 0x3ff" in errors[0], errors


def test_lines_in_a_row_all_device_memory_and_files() -> None:
    more = {"uart": needs("requests ports messages device names", "log")}
    lines = '{ name = "messages", first = 128, count = 64 }]\ndevices = [{ name = "device", all = true }]\nfiles = ["names"]'
    good = GOOD.replace('{ name = "interrupt", line = 4 }]', lines)
    errors, binary = run(good, more)
    assert not errors, errors
    assert struct.pack("<24sIIQQ", b"messages", 4, 3, 128, 64) in binary
    assert struct.pack("<24sIIQQ", b"device", 5, 3, 0, 0) in binary
    assert struct.pack("<24sIIQQ", b"names", 9, 1, 0, 0) in binary
    for old, new, text in (("count = 64", "count = 65", "interrupt lines are 0 to 191"),
                           ("first = 128, count = 64", "first = 128, line = 1", "each entry of interrupts is"),
                           ("all = true", "all = false", "all is true, or there is address and bytes"),
                           ("all = true", "all = true, bytes = 4096", "each entry of devices is"),
                           ('"names"]', "3]", "files are names of files")):
        errors, _ = run(good.replace(old, new, 1), more)
        assert errors and any(text in error for error in errors), (new, errors)


def test_devices_that_a_service_drives() -> None:
    entry = "{ vendor = 0x1af4, device = [0x1001, 0x1042] }, { class = 0x010802 }, { vendor = 1, class = 2, mask = 3 }"
    errors, binary = run(GOOD.replace("frames = 64", f"match = [{entry}]\ncount = 2\nframes = 64", 1)
                         .replace("ports = [{", "affinity = 0 # [{").replace("interrupts = [{", "# [{")
                         .replace('serial = "serial"', 'serial = "serial.1"'),
                         {"uart": needs("requests", "log")})
    assert not errors, errors
    assert binary.endswith(struct.pack("<24I", 0, 2, 0x1af4, 0x1001, 0, 0, 0, 2, 0x1af4, 0x1042, 0, 0, 0, 2, ANY, ANY,
                                       0x010802, 0xFFFFFF, 0, 2, 1, ANY, 2, 3))
    for wrong in ("{ device = 1 }", "{ vendor = 65536 }", "{ mask = 1, vendor = 1 }", "{ vendor = 1, device = [] }",
                  "{ vendor = true }", "3"):
        errors = changed("frames = 64", f"match = [{wrong}]\nframes = 64")
        assert errors and "each entry of match" in errors[0], wrong


def test_an_empty_manifest() -> None:
    errors, binary = run("")
    assert binary is None
    expect(errors, "1: there is no [service.NAME]")


for name, function in sorted(list(globals().items())):
    if name.startswith("test_"):
        suite.test("manifest rules: " + name.removeprefix("test_").replace("_", " "))(function)
