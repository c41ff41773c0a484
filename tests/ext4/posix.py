# SPDX-License-Identifier: MIT
"""posix.py - what POSIX says of names and files, as a table of cases, and who carries them out: this machine's Linux, the ext4
service on this machine (tests/ext4_service/commands.c), and a program in the guest (tests/services/script). A case is one or several commands in a folder of its own, which
begins as TREE makes it. What each command answers is compared, and in the end everything that is there."""

import errno
import os
from pathlib import Path

from testlib import check

# In each folder: f is a file of 10 bytes with a second name h; e holds x; links to a file, a folder, nothing, and to itself.
TREE = ("fill f 10 1", "ln f h", "mkdir d", "mkdir e", "fill e/x 3 2", "symlink f lf", "symlink d ld", "symlink nowhere ln",
        "symlink loop loop", "mkdir d/deep")

EXISTING = ("f", "h", "d", "e", "lf", "ld", "ln", "loop", "e/x", "d/deep")
MISSING = ("new", "d/new", "ld/new", "new/new", "f/new", "lf/new", "ln/new", "loop/new", "nowhere")
WITH_DOTS = ("d/.", "d/..", "e/../f", "d/deep/..", "f/.", "f/..", "new/..", "./f", "ld/..", "e/./x", "ln/..", "d//deep", ".//f")
WITH_SLASH = ("f/", "d/", "e/", "lf/", "ld/", "ln/", "new/", "d/deep/")
LONG = ("n" * 255, "n" * 256, "d/" + "n" * 255, "d/" + "n" * 256)
PATHS = EXISTING + MISSING + WITH_DOTS + WITH_SLASH + LONG

ONE = ("mkdir {}", "rmdir {}", "rm {}", "stat {}", "cat {}", "ls {}", "readlink {}", "fill {} 5 3", "append {} more",
       "truncate {} 4", "symlink text {}")
FROM = ("f", "h", "d", "e", "lf", "ld", "ln", "loop", "new", "e/x", "d/deep", "f/x")
TO = ("f", "h", "d", "e", "lf", "ld", "ln", "new", "d/new", "e/new", "new/new", "f/new", "d/deep/new", "d/deep", "e/x")
TWO = ("mv {} {}", "ln {} {}")

# Of several steps.
ROWS = (
    "mv f g; stat f; stat g; stat h", "ln f g; stat f; rm f; stat g; stat h", "mv f h; stat f; stat h",
    "rm f; stat h; rm h; stat h", "mv d e/d; ls e; ls d; ls e/d", "mv e/x x; rmdir e; stat e", "rm e/x; rmdir e; ls .",
    "mv e d/deep/e; ls d/deep/e; rmdir d/deep", "mv d d/deep/d; ls d", "mv d d; ls d", "mv f f; stat f", "mv f d; ls d; stat f",
    "mv d f; stat f; ls d", "mv e d/deep; ls d/deep", "mv e d; ls d", "mv d/deep e; ls e", "rm e/x; mv d/deep e; ls e",
    "truncate f 0; stat f; stat h", "truncate f 5; cat h", "truncate f 20; cat f", "truncate f 5; truncate f 10; cat f",
    "truncate f 100000; stat f; truncate f 3; cat f", "append f more; cat h", "truncate f 4; append f more; cat f",
    "append g one; append g two; cat g", "fill f 0 0; stat h", "fill lf 4 5; cat f; stat lf", "append lf more; cat h",
    "truncate lf 2; cat f", "fill ln 4 5; stat nowhere; cat ln", "append ln more; cat nowhere", "rm lf; stat f; stat lf",
    "rm ln; stat ln", "rm loop; stat loop", "mv lf lg; readlink lg; cat lg", "mv lf d/lf; cat d/lf", "mv ln f; readlink f; cat h",
    "ln lf lg; readlink lg; stat lf", "ln ln lg; readlink lg", "symlink d/deep a; symlink a b; symlink b c; ls c; readlink c",
    "symlink . here; ls here/here/here", "symlink .. up; stat up/nothing; readlink up", "symlink d/../f s; cat s",
    "symlink e/x a; mv e z; cat a; mv z e; cat a", "mkdir a; mkdir a/b; mkdir a/b/c; rmdir a; rmdir a/b/c; rmdir a/b; rmdir a",
    "mkdir a; stat a; mkdir a/b; stat a; rmdir a/b; stat a", "stat d; mv d/deep e/deep; stat d; stat e", "stat d; rmdir d/deep; stat d",
    "mkdir a; mv a b; rmdir a; rmdir b", "mkdir a; fill a/f 1 1; rmdir a; rm a/f; rmdir a; ls a", "fill a 1 1; mkdir a; rm a; mkdir a",
    "mkdir a; fill a 1 1; rmdir a; fill a 1 1; cat a", "symlink x a; mkdir a; fill a 2 2; cat x", "symlink x a; symlink y a; readlink a",
    "fill a 70000 7; stat a; truncate a 65536; stat a; append a end; stat a", "write f 100 5 1; stat f; cat f",
    "write f 2 3 9; cat h", "write f 4096 1 9; stat f", "write new 0 1 1; stat new", "write lf 0 2 4; cat f", "write d 0 1 1",
    "write ln 0 1 1; stat nowhere", "write loop 0 1 1", "truncate d 0", "truncate new 0; stat new", "cat d; cat e; ls e",
    "ls f; ls lf; ls ld; ls ln", "readlink f; readlink d; readlink new", "ln d g; stat g", "ln e/x e/y; stat e/x; rm e/x; stat e/y",
    "ln f e/x; stat f", "ln new g", "ln f d/g; mv d z; stat z/g; stat f", "mv e/x f; stat f; stat h; ls e", "mv ld lz; ls lz; mv lz/deep deep; ls .",
)

# Beyond 4 GiB, with holes.
LARGE = (
    "write f 5368709120 3000 7; stat f; truncate f 4294967297; stat h; append f end; stat f; truncate f 12; cat h",
    "truncate f 8589934592; stat f; write f 4294967290 12 3; stat f; truncate f 4; cat f",
    "fill g 5 1; truncate g 4294967296; append g more; stat g; rm g; stat g",
)
# A path of nearly 3,900 bytes, one name after the other, and one that is too long.
DEPTH = 15
DEEP = ["/".join(["n" * 255] * depth) for depth in range(1, DEPTH + 1)]
LONG_ROW = (*(f"mkdir {path}" for path in DEEP), f"fill {DEEP[-1]}/x 7 1", f"stat {DEEP[-1]}/x", f"cat {DEEP[-1]}/x", f"ls {DEEP[-1]}",
            f"append {DEEP[-1]}/x more", f"symlink text {DEEP[-1]}/l", f"readlink {DEEP[-1]}/l", f"truncate {DEEP[-1]}/x 3",
            f"stat {DEEP[-1]}/x", f"stat {DEEP[-1]}/{DEEP[1]}", f"mkdir {DEEP[-1]}/{DEEP[1]}", f"rmdir {DEEP[-1]}",
            f"rm {DEEP[-1]}/l", f"rm {DEEP[-1]}/x", *(f"rmdir {path}" for path in reversed(DEEP)), "ls .")


def cases() -> list[tuple[str, ...]]:
    one = [(text.format(path),) for text in ONE for path in PATHS]
    two = [(text.format(old, new),) for text in TWO for old in FROM for new in TO]
    return one + two + [tuple(row.split("; ")) for row in ROWS + LARGE] + [LONG_ROW]


# How many words of a command are paths, and where they begin.
PATHS_OF = {"mv": (1, 3), "ln": (1, 3), "symlink": (2, 3)}


def in_folder(folder: str, command: str) -> str:
    """With the whole path of all names, since other tests are beside: the folder that a process is in is that of them all."""
    words = command.split()
    first, end = PATHS_OF.get(words[0], (1, 2))
    return " ".join(f"{folder}/{word}" if first <= at < end else word for at, word in enumerate(words))


# ---- Linux ----

def content(offset: int, length: int, seed: int) -> bytes:
    return bytes((at * 31 + seed + (at >> 12)) & 0xFF for at in range(offset, offset + length))


def write(path: str, flags: int, data: bytes, offset: int = 0) -> None:
    file = os.open(path, os.O_WRONLY | flags, 0o644)
    try:
        if offset or not flags & os.O_APPEND:
            os.lseek(file, offset, os.SEEK_SET)
        os.write(file, data)
    finally:
        os.close(file)


def show(path: str) -> str:
    found = os.lstat(path)
    kind = {0o040000: "d", 0o100000: "f", 0o120000: "l"}[found.st_mode & 0o170000]
    return f"d {found.st_nlink}" if kind == "d" else f"{kind} {found.st_size} {found.st_nlink}"


def read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().hex()


def by_linux(words: list[str]) -> str:
    match words:
        case ["mkdir", path]: os.mkdir(path)
        case ["rmdir", path]: os.rmdir(path)
        case ["rm", path]: os.unlink(path)
        case ["stat", path]: return show(path)
        case ["cat", path]: return read(path)
        case ["ls", path]: return " ".join(sorted(os.listdir(path)))
        case ["readlink", path]: return os.readlink(path)
        case ["fill", path, size, seed]: write(path, os.O_CREAT | os.O_TRUNC, content(0, int(size), int(seed)))
        case ["append", path, text]: write(path, os.O_CREAT | os.O_APPEND, text.encode())
        case ["write", path, at, size, seed]: write(path, 0, content(int(at), int(size), int(seed)), int(at))
        case ["truncate", path, size]: os.truncate(path, int(size))
        case ["symlink", text, path]: os.symlink(text, path)
        case ["ln", old, new]: os.link(old, new, follow_symlinks=False)
        case ["mv", old, new]: os.rename(old, new)
        case _: raise ValueError(words)
    return ""


def answers_of_linux(folder: Path, case: tuple[str, ...]) -> list[str]:
    """What each command answers: an error's name, or what it found."""
    folder.mkdir()
    said = []
    for command in TREE:
        by_linux(in_folder(str(folder), command).split())
    for command in case:
        try:
            said.append(by_linux(in_folder(str(folder), command).split()))
        except OSError as problem:
            said.append(errno.errorcode[problem.errno])
    return said


# ---- The service ----

ERRORS = {"ERR_NOT_FOUND": "ENOENT", "ERR_EXISTS": "EEXIST", "ERR_NOT_DIRECTORY": "ENOTDIR", "ERR_DIRECTORY": "EISDIR",
          "ERR_NOT_EMPTY": "ENOTEMPTY", "ERR_LINKS": "ELOOP", "ERR_SIZE": "ENAMETOOLONG", "ERR_STATE": "EINVAL",
          "ERR_ARGUMENT": "EINVAL", "ERR_DENIED": "EPERM", "ERR_FULL": "ENOSPC"}
MARK = "--mark--"


def script(number: int, case: tuple[str, ...], above: str = "") -> list[str]:
    """The lines of a case, in a folder below `above`."""
    folder = f"{above}c{number}"
    lines = [f"mkdir {folder}", *(in_folder(folder, command) for command in TREE)]
    for command in case:
        lines += [f"echo {MARK}", in_folder(folder, command)]
    return [*lines, f"echo {MARK}"]


def answer_of(command: str, said: bytes) -> str:
    """What the service printed, as Linux' side says it."""
    name = command.split()[0]
    for error, code in ERRORS.items():
        if said.endswith(f"{name}: {error}\n".encode()):
            return code
    if name == "cat":
        return said.hex()
    text = said.decode(errors="replace")
    if name == "stat" and " bytes, " in text:
        words = text.split()
        return f"d {words[5]}" if words[0] == "d" else f"{words[0]} {words[1]} {words[5]}"
    if name == "ls":
        return " ".join(sorted(line[2:] for line in text.splitlines()))
    return text.strip()


def answers_of(said: bytes, cases: list[tuple[str, ...]]) -> list[list[str]]:
    """What was printed for the scripts of these cases."""
    parts = iter(said.split(f"{MARK}\n".encode()))
    answers = []
    for case in cases:
        check(next(parts) == b"", f"a folder could not be made for {case}")
        answers.append([answer_of(command, next(parts)) for command in case])
    return answers
