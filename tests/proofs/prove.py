#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""prove.py - has cbmc look for a case in which a part of the kernel does what a proof says it never does.

    prove.py [-j N] [NAME]...         tests/proofs/kernel/NAME.c, or one function of it, NAME.prove_FUNCTION; all without a name
    prove.py --list

Each function prove_*(void) of such a file is a proof. The comment above it begins with how often loops go round at most,
`Unwind: N, function.loop N, ...`; were it less than that, cbmc says so, and the proof fails. The files include the shipped
source of the kernel, which the compiler preprocesses, and cbmc reads without attributes, which it does not know.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
CBMC = BUILD / "proofs/cbmc"
FOLDER = Path("tests/proofs/kernel")
LIMIT_S = 180  # of processor time
LIMIT_BYTES = 4 << 30
HANG_S = 3600
INCLUDES = [f"-I{FOLDER}/include", "-I.", "-Ikernel", "-Ikernel/debug/off"]
CHECKS = ["--drop-unused-functions", "--pointer-overflow-check", "--unwinding-assertions"]
HELD, BROKEN = 0, 10  # how cbmc ends

PROOF = re.compile(r"/\* Unwind: ([^.]*(?:\.\d[^.]*)*)\.[^/]*\*/\nvoid (prove_\w+)\(void\)")


@dataclass
class Proof:
    file: str
    function: str
    unwind: list[str]  # arguments of cbmc

    @property
    def name(self) -> str:
        return f"{self.file}.{self.function}"


@dataclass
class Verdict:
    held: bool
    broken: list[str]  # what cbmc says of each claim that does not hold
    claims: int
    seconds: float
    mib: int


def unwinding(text: str) -> list[str]:
    words = [word.split() for word in text.replace(" *", " ").split(",")]
    loops = ",".join(f"{loop}:{times}" for loop, times in words[1:])
    return ["--unwind", words[0][0], *(["--unwindset", loops] if loops else [])]


def all_proofs() -> list[Proof]:
    found = []
    for path in sorted((ROOT / FOLDER).glob("*.c")):
        text = path.read_text()
        proofs = [Proof(path.stem, function, unwinding(loops)) for loops, function in PROOF.findall(text)]
        assert len(proofs) == len(re.findall(r"^void prove_\w+\(", text, re.M)), f"{path}: a proof has no line 'Unwind:'"
        found += proofs
    return found


def preprocess(proof: Proof, root: Path, case: int, output: Path) -> None:
    command = ["gcc", "-E", "-P", "-std=gnu2x", "-m64", "-ffreestanding", "-D__builtin_return_address(n)=NULL", f"-DONLY_CASE={case}",
               *INCLUDES, f"{FOLDER}/{proof.file}.c"]
    text = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    output.write_text(re.sub(r"\[\[[^\]]*\]\]", "", text))


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))


def check(proof: Proof, root: Path = ROOT, case: int = -1) -> Verdict:
    """Of the sources in `root`, in one of the listed cases alone if `case` is not below 0. An error of cbmc, or too much
    time or memory, raises."""
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/output", "w+") as output:
        source = Path(folder) / f"{proof.function}.i"
        preprocess(proof, root, case, source)
        command = [f"{CBMC}/lib/ld-linux-x86-64.so.2", "--library-path", f"{CBMC}/lib", f"{CBMC}/cbmc", str(source),
                   "--function", proof.function, *CHECKS, *proof.unwind]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, preexec_fn=limit)
        deadline = time.monotonic() + HANG_S
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        output.seek(0)
        return verdict(proof, process.returncode, output.read(), ended[2])


def verdict(proof: Proof, status: int, text: str, usage: resource.struct_rusage) -> Verdict:
    counted = re.search(r"\*\* (\d+) of (\d+) failed", text)
    missing = re.findall(r"no body for function '?(\w+)", text)
    if status not in (HELD, BROKEN) or counted is None:
        raise RuntimeError(f"{proof.name}: cbmc ended with {status}: {text[-2000:]}")
    if missing:
        raise RuntimeError(f"{proof.name}: nothing says what these do: {', '.join(sorted(set(missing)))}")
    broken = re.findall(r"^\[.*\] (.*): FAILURE$", text, re.M)
    return Verdict(status == HELD and not broken, broken, int(counted[2]), usage.ru_utime + usage.ru_stime,
                   usage.ru_maxrss // 1024)


def show(proof: Proof) -> bool:
    try:
        found = check(proof)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"FAIL {proof.name}: {error}", flush=True)
        return False
    print(f"{'ok  ' if found.held else 'FAIL'} {proof.name}: {found.claims} claims, {found.seconds:.1f} s, {found.mib} MiB", flush=True)
    for text in found.broken:
        print(f"     {text}")
    return found.held


def chosen(names: list[str]) -> list[Proof]:
    proofs = [proof for proof in all_proofs() if not names or {proof.file, proof.name} & set(names)]
    unknown = [name for name in names if not any(name in (proof.file, proof.name) for proof in proofs)]
    if unknown:
        sys.exit(f"prove.py: no proof {', '.join(unknown)}")
    return proofs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="how many at once")
    arguments = parser.parse_args()
    proofs = chosen(arguments.names)
    if arguments.list:
        print("\n".join(proof.name for proof in proofs))
        return
    with ThreadPoolExecutor(arguments.j) as pool:
        held = list(pool.map(show, proofs))
    print(f"{held.count(True)} proofs hold, {held.count(False)} do not")
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
