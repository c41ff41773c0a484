// SPDX-License-Identifier: MIT
/* image - see image.h. */
#include "services/init/image.h"

#include "lib/base/string.h"
#include "lib/format/elf_note.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

#define DIGITS (ELF_BUILD_ID_TEXT - 1)
#define KERNEL_AT (DIGITS + 1) /* behind the ID and a blank */

void image_log(const struct archive *archive)
{
    const struct archive_member *file = archive_find(archive, "image");
    bool same;

    if (file == NULL || file->size < KERNEL_AT + DIGITS) {
        log_at(MNOS_LOG_WARNING, "the initial RAM disk has no file \"image\": nothing names it");
        return;
    }
    same = memcmp(file->data + KERNEL_AT, kinfo()->kernel_build, DIGITS) == 0;
    log_line("image %.12s%s", (const char *)file->data,
             same ? "" : ", with a kernel of another build");
}
