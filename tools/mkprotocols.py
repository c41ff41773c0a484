# SPDX-License-Identifier: MIT
"""mkprotocols.py - the pages of docs/protocols, one for each protocols/NAME.def, for mkdocs.py.

A line REQUEST(label, name, class, request, reply, text) that lacks its class, or whose class, label or name
is none, is an error: a client's library could not know whether it may repeat the request."""

import re
import textwrap
from pathlib import Path

CLASSES = {
    "I": "idempotent: repeated as it is when the service died before it answered",
    "N": "exactly once: the service keeps the last reply of each lane, and a repetition gets that reply",
    "I_PARKS": "as I, and it may wait as long as it takes; its client never asks whether the service is alive",
    "N_PARKS": "as N, and it may wait as long as it takes; its client never asks whether the service is alive",
}
FIELDS = ["label", "name", "class", "request", "reply", "text"]
LABELS = 256
MADE = "<!-- Made by tools/mkdocs.py from protocols/. Change that. -->\n"

INDEX_HEAD = f"""\
# Protocols

{MADE}
The messages that programs exchange. A request is a message with a label; the label of the reply is a status of
`abi/status.def`. Each protocol is a table in `protocols/`; its client is in `lib/client`.

What happens to a request when the service that took it dies, its class says. The client's library gets `ERR_PEER`
and waits for the next run of the service, at the same endpoint.

"""


def read(path: Path, entries, problem) -> list[dict[str, str]]:
    """The requests of a table, in order."""
    where, found = f"protocols/{path.name}", []
    for _, fields in entries(where, "REQUEST"):
        if len(fields) != len(FIELDS):
            raise problem(f"{where}: REQUEST({', '.join(fields[:3])}, ...) has {len(fields)} fields, not "
                          f"{', '.join(FIELDS)}")
        request = dict(zip(FIELDS, (" ".join(field.split()) for field in fields), strict=True))
        name = f"{where}: request {request['name']}"
        if request["class"] not in CLASSES:
            raise problem(f"{name}: '{request['class']}' is no class; there are {', '.join(CLASSES)}")
        if not request["label"].isdigit() or not 0 < int(request["label"]) < LABELS:
            raise problem(f"{name}: its label is not 1 to {LABELS - 1}")
        for other in found:
            if request["label"] == other["label"] or request["name"] == other["name"]:
                raise problem(f"{name}: {other['name']} has this name or label already")
        found.append(request)
    return found


def introduction(path: Path, problem) -> tuple[str, str]:
    """What the table is about, in one line, and the rest of what its first comment says."""
    comment = next((text for text in re.findall(r"/\*(.*?)\*/", path.read_text(), re.S)
                    if not text.startswith(" SPDX")), "")
    lines = [re.sub(r"^ ?\*? ?", "", line.rstrip()) for line in comment.strip("\n").splitlines()]
    paragraphs = [" ".join(part.split()) for part in "\n".join(lines).strip().split("\n\n")]
    title = re.fullmatch(re.escape(path.name) + r" - (.*?)\.?", paragraphs[0])
    if title is None:
        raise problem(f"protocols/{path.name}: its first comment does not begin with \"{path.name} - \"")
    rest = [re.sub(r"^REQUEST\(.*?\)[.;:]?( class: \S+)?\s*", "", text) for text in paragraphs[1:]]
    return title[1], "\n\n".join(textwrap.fill(text, 116, break_long_words=False, break_on_hyphens=False)
                                 for text in rest if text)


def page(path: Path, entries, table, problem) -> tuple[str, str]:
    """What the protocol is, and its page."""
    title, rest = introduction(path, problem)
    requests = read(path, entries, problem)
    used = [name for name in CLASSES if any(request["class"] == name for request in requests)]
    text = f"# {path.stem}\n\n{MADE}\n{title[0].upper()}{title[1:]}.\n\n"
    if rest:
        text += rest + "\n\n"
    text += f"Table: [`protocols/{path.name}`](../../protocols/{path.name})"
    if path.with_suffix(".h").exists():
        text += f"; records: [`protocols/{path.stem}.h`](../../protocols/{path.stem}.h)"
    text += ".\n\n" + table(["", "request", "class", "with", "answered by", "what"],
                            [[r["label"], f"`{r['name']}`", r["class"], r["request"], r["reply"], r["text"]]
                             for r in requests])
    text += table(["class", "when the service dies, and how long it may take"],
                  [[name, CLASSES[name]] for name in used])
    return title, text.rstrip() + "\n"


def pages(root: Path, entries, table, problem) -> dict[str, str]:
    """Every page of docs/protocols by its path."""
    made, rows = {}, []
    for path in sorted((root / "protocols").glob("*.def")):
        title, text = page(path, entries, table, problem)
        made[f"docs/protocols/{path.stem}.md"] = text
        rows.append([f"[{path.stem}]({path.stem}.md)", title])
    index = INDEX_HEAD + table(["class", "what a client may do"], [[n, what] for n, what in CLASSES.items()])
    made["docs/protocols/README.md"] = (index + table(["protocol", ""], rows)).rstrip() + "\n"
    return made
