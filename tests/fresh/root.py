# SPDX-License-Identifier: MIT
"""root.py - a bare Debian in a folder, as somebody has it who has just installed it.

It has the packages of mmdebstrap's variant minbase, git and make, and nothing else. Packages come from
where this machine gets its own, by its apt configuration: sources, proxies and keys. The packed system is
kept for a month in ${XDG_CACHE_HOME:-~/.cache}/minimalos/fresh; each use unpacks it anew. What runs in it has
mounts and process numbers of its own, which end with it: neither a mount nor a process is left behind, not
even by SIGKILL, and the next use removes the folder that SIGKILL leaves.

Left to others: what is typed there (run.py), and the terminal (terminal.py).
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

INCLUDED = "git,make"
MONTH_S = 30 * 24 * 3600
MAKE_LIMIT_S = 1800
# For these the sources of a Debian host serve, with the release's name in the place of its own.
DEBIAN_RELEASES = ("bookworm", "trixie", "forky", "sid")
NEEDED = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "setpriv": "util-linux", "chroot": "coreutils",
          "tar": "tar", "git": "git"}
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy")
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What runs behind this has mounts and process numbers of its own, and ends with whoever began it.
ISOLATED = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL")

# Runs behind ISOLATED: $1 is the root, the rest the command.
ENTER = """\
cd "$1" && shift
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do : >dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
exec chroot . "$@"
"""


class CannotMake(Exception):
    """Why there is no bare system; one line for the user."""


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minimalos/fresh"


def reason(text: str) -> str:
    """The first error of apt in what a program said, or its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    return errors[0][2:].strip() if errors else lines[-1] if lines else "it did not say why"


def check_host() -> None:
    """Whether this host can make and enter a root at all."""
    if os.geteuid() != 0:
        raise CannotMake("it needs root, for mmdebstrap and chroot")
    for program, package in NEEDED.items():
        if not shutil.which(program):
            raise CannotMake(f"there is no {program} (Debian's package {package})")
    tried = subprocess.run([*ISOLATED, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    if tried.returncode != 0:
        raise CannotMake(f"mounts of its own are not allowed here: {reason(tried.stderr)}")


# ---- The apt configuration of this machine -------------------------------------------------------

def host_codename() -> str:
    text = Path("/etc/os-release").read_text()
    found = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    return found[1] if found else "sid"


def debian_sources() -> list[tuple[str, str]]:
    """Address and release name of each place that this host gets Debian's own packages from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)",
         "Created-By: Packages"], capture_output=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return sorted({(row[2], row[3]) for row in rows if len(row) == 4 and row[:2] == ["Debian", "main"]})


def sources(release: str) -> list[str]:
    """Lines of sources.list; none where mmdebstrap has to know the place by the release's name."""
    if release not in DEBIAN_RELEASES:
        return []
    found = debian_sources()
    if not found:  # the lists are not there: an image without them, or a first use
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True)
        found = debian_sources()
    own = host_codename()
    return [f"deb {uri} {name.replace(own, release, 1)} main" for uri, name in found if own in name]


def options() -> list[str]:
    """How this host fetches: proxies, certificates, limits."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
    return [line for line in dump.splitlines() if line.startswith("Acquire::") and '""' not in line
            and not line.startswith(("Acquire::IndexTargets", "Acquire::Changelogs"))]


def copy_file(path: Path, root: Path) -> None:
    to = root / path.relative_to("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def configure(root: Path, release: str) -> None:
    """Gives the root this host's way to the packages, as a bare system of this network has it."""
    if lines := sources(release):
        (root / "etc/apt/sources.list").write_text("".join(line + "\n" for line in lines))
    (root / "etc/apt/apt.conf.d/90host").write_text("".join(line + "\n" for line in options()))
    keys = [path for path in Path("/etc/apt/trusted.gpg.d").glob("*.*") if path.is_file()]
    certificates = [Path(found[1]) for line in options() if (found := re.match(r'.*CaInfo "(/.*)";', line))]
    for path in [*keys, *certificates, Path("/etc/resolv.conf"), Path("/etc/hosts")]:
        if path.exists():
            copy_file(path, root)


# ---- Folders for one use -------------------------------------------------------------------------

class Workspace:
    """A folder that only its user needs: removed at the end of the `with` block, or, when the user was
    killed, by the next one, who finds its lock free."""

    def __init__(self) -> None:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("work-*"):
            self._remove_stale(old)
        self.path = Path(tempfile.mkdtemp(dir=folder, prefix="work-"))
        self.lock = open(self.path / "lock", "wb")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    @staticmethod
    def _remove_stale(old: Path) -> None:
        try:
            with open(old / "lock", "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(old)
        except OSError:
            pass  # in use, or being made or removed by another

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_exception) -> None:
        remove(self.path)
        self.lock.close()


def remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=False)


# ---- The packed system ---------------------------------------------------------------------------

def packed(release: str, new: bool) -> tuple[Path, str]:
    """The packed system, made when there is none, it is older than a month or `new`; how it was come by."""
    pack = cache_folder() / f"{release}.tar"
    age_s = time.time() - pack.stat().st_mtime if pack.exists() else None
    if age_s is not None and age_s < MONTH_S and not new:
        return pack, f"made {age_s / 86400:.0f} days ago"
    with Workspace() as work:
        part, configuration = work.path / f"{release}.tar", work.path / "apt.conf"
        configuration.write_text("".join(line + "\n" for line in options()))
        command = [*ISOLATED, "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={INCLUDED}",
                   f"--aptopt={configuration}", release, str(part), *sources(release)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_LIMIT_S,
                                  env=os.environ | {"TMPDIR": str(work.path)})
        except subprocess.TimeoutExpired:
            raise CannotMake(f"mmdebstrap took longer than {MAKE_LIMIT_S} s") from None
        if done.returncode != 0:
            raise CannotMake(f"mmdebstrap could not make it: {reason(done.stderr)}")
        part.rename(pack)
    return pack, "new"


class BareRoot:
    """The unpacked system; leaving the `with` block removes it."""

    def __init__(self, release: str, new: bool) -> None:
        check_host()
        pack, self.origin = packed(release, new)
        self.work = Workspace()
        self.path = self.work.path / "root"
        try:
            self.path.mkdir()
            done = subprocess.run(["tar", "-C", str(self.path), "-xpf", str(pack), "--exclude=./dev/*"],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise CannotMake(f"{pack} cannot be unpacked: {reason(done.stderr)}")
            configure(self.path, release)
        except BaseException:
            self.work.__exit__()
            raise

    def command(self, *words: str) -> list[str]:
        """The command that runs `words` as root of the bare system; killing it ends all that it began."""
        variables = [f"{name}={os.environ[name]}" for name in PROXIES if name in os.environ]
        return [*ISOLATED, "sh", "-e", "-c", ENTER, "sh", str(self.path), "/usr/bin/env", "-i", "HOME=/root",
                "TERM=xterm", f"PATH={SEARCH_PATH}", *variables, *words]

    def __enter__(self) -> BareRoot:
        return self

    def __exit__(self, *_exception) -> None:
        self.work.__exit__()
