// SPDX-License-Identifier: MIT
/* size_text - see size_text.h. */
#include "lib/mnos/size_text.h"

#include "lib/base/printf.h"

const char *size_text(char text[SIZE_TEXT_BYTES], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t tenths = bytes * 10;
    unsigned unit = 0;

    if (bytes >= UINT64_MAX / 10) { /* no file is that large, but a disk may say so */
        tenths = bytes / 1024 * 10;
        unit = 1;
    }
    for (; tenths >= 10240 && unit < 6; unit++)
        tenths /= 1024;
    if (unit == 0 || tenths >= 1000)
        mnos_snprintf(text, SIZE_TEXT_BYTES, "%llu %s", (unsigned long long)(tenths / 10),
                      units[unit]);
    else
        mnos_snprintf(text, SIZE_TEXT_BYTES, "%llu.%llu %s", (unsigned long long)(tenths / 10),
                      (unsigned long long)(tenths % 10), units[unit]);
    return text;
}
