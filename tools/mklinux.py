# SPDX-License-Identifier: MIT
"""mklinux.py - docs/linux-calls.md, from personality/linux/calls.def: for mkdocs.py."""

HEAD = """# Calls of Linux

<!-- Made by tools/mkdocs.py from personality/linux/calls.def. Change that. -->

The calls of Linux x86_64 that programs can make here ([linux.md](linux.md)). Errors are those of Linux 6.1. Any other call is
answered with `ENOSYS`; `run --trace` shows it.

Restart: what becomes of a call whose wait a signal ends. *again*: it is made again when the handler has SA_RESTART. *EINTR*: never.

"""
RESTART = {"NO": "", "AGAIN": "again", "EINTR": "EINTR"}
STATES = {"WHOLE": "whole", "PARTIAL": "partial"}


def page(entries, table, unquote, problem) -> str:
    rows, counts, last = [], dict.fromkeys(STATES, 0), -1
    for macro, fields in entries("personality/linux/calls.def", r"CALL\d"):
        number, name, restart, state, note = (*fields[:4], unquote(fields[4]))
        if restart not in RESTART or state not in STATES:
            raise problem(f"calls.def: {name}: {restart}, {state}: one of {', '.join(RESTART)} and {', '.join(STATES)}")
        if int(number) <= last:
            raise problem(f"calls.def: {name}: numbers rise")
        if state == "PARTIAL" and not note:
            raise problem(f"calls.def: {name} is partial: what is missing?")
        if len(fields) != 5 + 2 * int(macro[-1]):
            raise problem(f"calls.def: {name} has not {macro[-1]} arguments")
        last = int(number)
        counts[state] += 1
        rows.append([number, f"`{name}`", STATES[state], RESTART[restart], note])
    return (HEAD + table(["", "call", "", "restart", "what there is to know"], rows) +
            f"\n{sum(counts.values())} calls, {counts['WHOLE']} of them whole and {counts['PARTIAL']} partial.\n")
