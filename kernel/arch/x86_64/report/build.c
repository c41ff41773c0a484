// SPDX-License-Identifier: MIT
/* build.c - which build of the kernel this is, from the note that the linker has put into the image (kernel.ld). */
#include <stdint.h>

#include "arch/arch.h"
#include "arch/x86_64/cpu/image.h"
#include "lib/format/elf_note.h"

/* System V ABI, "Note Section": three words, the name "GNU", and the ID. */
#define ID_OFFSET 16u

_Static_assert(ARCH_BUILD_TEXT == ELF_BUILD_ID_TEXT, "it is shown as those of programs are");

void arch_build_text(char text[ARCH_BUILD_TEXT])
{
    elf_build_id_text((const uint8_t *)__build_id_note + ID_OFFSET, text);
}
