// SPDX-License-Identifier: MIT
/*
 * ext4.c - libFuzzer on the core of the ext4 service (`make fuzz-ext4`). Input is what differs from an image that
 * mke2fs made: records of four bytes of place and one of value. The scene is that of tests/ext4: it is mounted, read and
 * written to. Checksums are off in the image, so that a changed byte gets further than to its check.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/ext4/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char make_image[] =
    "set -e; d=$(mktemp -d); mkdir -p $d/s/a/b; i=0; while [ $i -lt 120 ]; do i=$((i+1)); "
    "head -c $((i * 20)) /dev/zero | tr '\\0' x >$d/s/a/a-file-of-a-long-name-$i; done; "
    "ln -s /somewhere $d/s/link; truncate -s 3M $d/i; "
    "mke2fs -q -t ext4 -b 1024 -O ^metadata_csum -J size=1 -N 256 -d $d/s $d/i; cat $d/i; rm -r $d";

enum { IMAGE_BYTES = 3 * 1024 * 1024 };

static const uint8_t *image(void)
{
    static uint8_t bytes[IMAGE_BYTES];
    static bool made;
    FILE *pipe;

    if (made)
        return bytes;
    pipe = popen(make_image, "r");
    if (pipe == NULL || fread(bytes, 1, sizeof bytes, pipe) != sizeof bytes || pclose(pipe) != 0) {
        fprintf(stderr, "no image: is mke2fs there?\n");
        exit(1);
    }
    made = true;
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scene_damaged(image(), IMAGE_BYTES, data, size);
    return 0;
}
