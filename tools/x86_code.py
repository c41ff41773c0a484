# SPDX-License-Identifier: MIT
"""x86_code.py - instructions of the processor, as far as backtraces have to know them: lib/format/x86_code.h in Python."""

CALL_BYTES_MAX = 7  # the longest CALL that follows_call() knows


def follows_call(before: bytes) -> bool:
    """Whether a CALL ends with these CALL_BYTES_MAX bytes: with a distance (E8), or through a register or memory (FF /2)."""
    return len(before) == CALL_BYTES_MAX and (before[-5] == 0xE8 or any(
        before[-n] == 0xFF and before[1 - n] & 0x38 == 0x10 for n in range(2, CALL_BYTES_MAX + 1)))
