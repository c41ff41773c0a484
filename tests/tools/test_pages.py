# SPDX-License-Identifier: MIT
"""test_pages.py - what the pages name is there: files, functions, the file that a function is in, and links; and what they show of
C and of manifests is so in the sources."""

import re
import tomllib
from functools import cache
from pathlib import Path

from qemu import ROOT
from testlib import Suite, check
from tests.tools.manifest_tool import compiled_by

suite = Suite("tools")

FOLDERS = (".ci", "abi", "bench", "boot", "docs", "drivers", "examples", "kernel", "lib", "make", "personality",
           "programs", "protocols", "services", "system", "tests", "third_party", "tools")
# A page about a decision may name what was decided against.
DECISIONS = Path("docs/decisions")
ELSEWHERE = {
    "tcp_input": "lwIP", "enter_mem_map": "made by a macro", "enter_mem_unmap": "made by a macro",
    "contrib/fsstress.c": "e2fsprogs", "lib/oofatfs": "micropython", "ff.c": "micropython", "ffunicode.c": "micropython",
    "Documentation/filesystems/ext4": "Linux", "docs/specs/edu.rst": "QEMU", "debug/kernel.elf": "built", "with/initrd.tar": "built",
}
ENDINGS = "c|h|S|inc|py|md|def|toml|txt|mk|ld|sh|pml|lock|conf"
# What is built, what a reader is to write, and what stands for a name.
MADE = re.compile(r"build/|mine/|.*\b(NAME|CLASS|FILE|DATE|RELEASE)\b")


@cache
def files() -> frozenset[str]:
    found = {path.name for path in ROOT.iterdir() if path.is_file()}
    return frozenset(found | {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*")
                              if "__pycache__" not in path.parts})


@cache
def words() -> frozenset[str]:
    """All that is a word in a source."""
    found: set[str] = set()
    for name in files():
        path = ROOT / name
        if path.is_file() and name != "tests/tools/test_pages.py" and not name.endswith((".md", ".png")):
            found.update(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace")))
    return frozenset(found)


@cache
def called(name: str) -> list[str]:
    """The files and folders that a page may mean by a path or the end of one, or by `_end.c` of a name said before."""
    name = name.removeprefix("../").rstrip("/")
    ends = name if name.startswith("_") else "/" + name
    return [path for path in files() if any(
        path == one or path.endswith(one_end) for one, one_end in ((name, ends), (name + ".h", ends + ".h")))]


def wrong_in(page: Path, text: str) -> list[str]:
    wrong = [f"there is no {link}" for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
             if not (ROOT / page.parent / link).exists()]
    if DECISIONS in page.parents:
        return wrong
    said = re.findall(r"`([^`\n]+)`", text)
    wrong += [f"there is no function {name}()" for one in said for name in re.findall(r"(\w+)\(\)", one)
              if name not in words() and name not in ELSEWHERE]
    wrong += [f"there is no {one}" for one in said
              if re.fullmatch(rf"[\w./-]+\.({ENDINGS})|[\w.-]+(/[\w.-]+)+/?", one) and not MADE.match(one)
              and one not in ELSEWHERE and not called(one)]
    for name, file in re.findall(r"`(\w+)\(\)`\s+\(`([^`]+\.[chS])`\)", text):
        if not any(re.search(rf"\b{name}\(", (ROOT / path).read_text(encoding="utf-8")) for path in called(file)):
            wrong.append(f"{name}() is not in {file}")
    return wrong


def shown(language: str, text: str) -> list[str]:
    """The blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def stripped(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())


@cache
def c_sources() -> list[str]:
    return [stripped((ROOT / name).read_text(encoding="utf-8")) for name in files() if name.endswith((".c", ".h", ".def"))]


@cache
def manifests() -> list[dict]:
    return [tomllib.loads((ROOT / name).read_text(encoding="utf-8")) for name in files()
            if name == "system/manifest.toml" or re.fullmatch(r"examples/\w+/manifest\.toml", name)]


def same_part(part: object, whole: object) -> bool:
    """Whether all that a table of a page has is so in a manifest, which may have more tables, and a table more keys."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and same_part(value, whole[key]) for key, value in part.items())
    return part == whole


def wrong_code_in(text: str) -> list[str]:
    wrong = [f"this C is in no source:\n{block}" for block in shown("c", text)
             if not any(stripped(block) in source for source in c_sources())]
    for block in shown("toml", text):
        if not block.lstrip().startswith("["):  # keys of some service: what they say of the network is compiled
            done, _ = compiled_by("mknet.py", f'[service.net]\nfile = "net"\nprovides = {{ requests = "net" }}\n[service.own]\n{block}')
            wrong += [] if done.returncode == 0 else [done.stderr]
        elif not any(same_part(tomllib.loads(block), one) for one in manifests()):
            wrong.append(f"this is in no manifest:\n{block}")
    return wrong


@suite.test("the C and the manifests that pages show are those of the system and of its examples")
def code() -> None:
    pages = {name: (ROOT / name).read_text(encoding="utf-8") for name in sorted(files()) if name.endswith(".md")}
    found = sum(len(shown("(?:c|toml)", text)) for text in pages.values())
    check(found > 50, f"only {found} blocks were found")
    wrong = [f"{name}: {text}" for name, page in pages.items() if DECISIONS not in Path(name).parents
             for text in wrong_code_in(page)]
    check(not wrong, "; ".join(wrong))


@suite.test("a page that shows what is not so is found out")
def code_found_out() -> None:
    good = '```toml\n[service.counter]\nfile = "counter"\nframes = 32\n```\n```c\nstatic uint64_t count;\n```\n'
    check(not wrong_code_in(good), f"it is refused: {wrong_code_in(good)}")
    for old, new in (("frames = 32", "frames = 33"), ("frames = 32", "memory = 32"), ("service.counter", "service.nobody"),
                     ("uint64_t count;", "uint64_t total;")):
        check(len(wrong_code_in(good.replace(old, new))) == 1, f"{new} is accepted")
    check(wrong_code_in('```toml\nuses = { net = { endpoint = "net", connect = ["10.0.0.0/8"] } }\n```\n'), "a port is missing")


@suite.test("each file and function that a page names is there")
def pages() -> None:
    wrong = [f"{name}: {text}" for name in sorted(files()) if name.endswith(".md")
             for text in wrong_in(Path(name), (ROOT / name).read_text(encoding="utf-8"))]
    check(not wrong, "; ".join(wrong))


@suite.test("a page that names what is not there is found out")
def found_out() -> None:
    text = ("[a](nowhere.md) `nobody_has_this()` `lib/server/nowhere.c` `lib/nothing/` "
            "`server_loop_run()` (`lib/server/park.c`) `loop_run()` (`lib/server/loop.c`)")
    wrong = wrong_in(Path("docs/page.md"), text)
    check(len(wrong) == 7, f"found were only: {wrong}")
