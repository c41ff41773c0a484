// SPDX-License-Identifier: MIT
/*
 * fat.c - libFuzzer on the FAT service (`make fuzz-fat`). Input is what differs from an image that mkfs made: the
 * first byte chooses FAT12, FAT16, FAT32 or exFAT, then records of four bytes of place and one of value. The volume
 * is mounted, read and written to (tests/fat_service/scene.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fat_service/scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct image {
    const char *make;
    size_t bytes;
    uint8_t *content;
};

#define FILL                                                                                       \
    "mmd -i $d/i ::a '::a directory of a longer name' ::a/b; i=0; while [ $i -lt 40 ]; do "        \
    "i=$((i+1)); head -c $((i * 400)) /dev/zero | tr '\\0' x >$d/f; "                              \
    "mcopy -i $d/i $d/f \"::a/a file of a long name $i\"; done; mcopy -i $d/i $d/f ::SHORT.TXT; "
#define MAKE(size, mkfs, fill)                                                                     \
    "set -e; d=$(mktemp -d); truncate -s " size " $d/i; " mkfs " $d/i >/dev/null; " fill           \
    "cat $d/i; rm -r $d"

/* exFAT has no tool that fills it: it begins empty, and the scene makes files. */
static struct image images[] = {
    {MAKE("1M", "mkfs.fat -F 12", FILL), 1 << 20, NULL},
    {MAKE("4M", "mkfs.fat -F 16 -s 1", FILL), 4 << 20, NULL},
    {MAKE("34M", "mkfs.fat -F 32 -s 1", FILL), 34 << 20, NULL},
    {MAKE("2M", "mkfs.exfat -c 4096 -b 4096", ""), 2 << 20, NULL},
};

static const struct image *image(unsigned number)
{
    struct image *chosen = &images[number];
    FILE *pipe;

    if (chosen->content != NULL)
        return chosen;
    chosen->content = malloc(chosen->bytes);
    pipe = popen(chosen->make, "r");
    if (pipe == NULL || fread(chosen->content, 1, chosen->bytes, pipe) != chosen->bytes ||
        pclose(pipe) != 0) {
        fprintf(stderr, "no image: are mkfs.fat, mkfs.exfat and mtools there?\n");
        exit(1);
    }
    return chosen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct image *chosen;

    if (size == 0)
        return 0;
    chosen = image(data[0] % (sizeof images / sizeof images[0]));
    scene_damaged(chosen->content, chosen->bytes, data + 1, size - 1);
    return 0;
}
