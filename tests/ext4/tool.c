// SPDX-License-Identifier: MIT
/*
 * tool - the ext4 core on images in files, for tests/ext4/test_ext4.py. Before the image: late=SEED, the disk answers
 * late and in any order; slots=N, blocks in the cache.
 *
 *   tool IMAGE list                         what it holds, without changing it
 *   tool IMAGE replay                       mounts, lists, unmounts, writes the image back
 *   tool IMAGE random SEED N                N random operations, compared with a model
 *   tool IMAGE cut SEED N CUTS KEEP FOLDER  the same, and the power is cut
 *   tool IMAGE many N [keep]                N files in one directory, found, and all of them or half removed
 *   tool IMAGE fail N                       writing fails from the Nth write on
 *   tool IMAGE damage SEED N                N damaged images, looked at and changed
 */
#include <stdlib.h>
#include <string.h>

#include "tests/ext4/host.h"

static void check(struct host *h, mnos_status_t status, const char *what)
{
    if (status != MNOS_OK)
        host_fail("%s: status %d; %s", what, (int)status, ext4_reason(h->fs));
}

static void print_tree(struct host *h)
{
    struct host_tree tree = {0};

    check(h, host_list(h, &tree), "listing");
    for (uint32_t i = 0; i < tree.count; i++)
        puts(tree.lines[i].text);
    host_tree_free(&tree);
}

static void list(struct host *h, bool read_only)
{
    check(h, host_mount(h, read_only), "mount");
    if (ext4_is_read_only(h->fs) && ext4_reason(h->fs)[0] != '\0')
        printf("reason: %s\n", ext4_reason(h->fs));
    print_tree(h);
    check(h, host_unmount(h), "unmount");
}

static uint64_t number(char **arguments, int at)
{
    if (arguments[at] == NULL)
        host_fail("an argument is missing");
    return strtoull(arguments[at], NULL, 0);
}

int main(int count, char **arguments)
{
    static struct host h;
    const char *image, *command;
    uint64_t late = 0, slots = HOST_SLOTS;

    for (; count > 1 && strchr(arguments[1], '=') != NULL; arguments++, count--) {
        if (sscanf(arguments[1], "late=%lu", &late) != 1 &&
            sscanf(arguments[1], "slots=%lu", &slots) != 1)
            host_fail("unknown setting %s", arguments[1]);
    }
    if (count < 3)
        host_fail("tool [late=SEED] [slots=N] IMAGE COMMAND ...");
    image = arguments[1];
    command = arguments[2];
    host_load(&h, image, (uint32_t)slots);
    h.late = late != 0;
    h.random += late * 0x9E3779B97F4A7C15ull;
    if (strcmp(command, "list") == 0) {
        list(&h, true);
    } else if (strcmp(command, "replay") == 0) {
        list(&h, false);
        host_save(&h, image);
    } else if (strcmp(command, "random") == 0) {
        check(&h, host_mount(&h, false), "mount");
        h.has_visitors = h.late;
        model_random(&h, number(arguments, 3), (uint32_t)number(arguments, 4));
        check(&h, host_unmount(&h), "unmount");
        host_save(&h, image);
        printf("again: %llu\n", (unsigned long long)h.again);
    } else if (strcmp(command, "cut") == 0) {
        check(&h, host_mount(&h, false), "mount");
        h.has_visitors = h.late;
        if (count < 8)
            host_fail("cut SEED N CUTS KEEP FOLDER");
        model_cut(&h, number(arguments, 3), (uint32_t)number(arguments, 4),
                  (uint32_t)number(arguments, 5), (uint32_t)number(arguments, 6), arguments[7]);
    } else if (strcmp(command, "many") == 0) {
        check(&h, host_mount(&h, false), "mount");
        h.has_visitors = h.late;
        scene_many(&h, (uint32_t)number(arguments, 3), count > 4);
        check(&h, host_unmount(&h), "unmount");
        host_save(&h, image);
    } else if (strcmp(command, "fail") == 0) {
        h.quiet = true;
        check(&h, host_mount(&h, false), "mount");
        scene_fail(&h, (uint32_t)number(arguments, 3));
        host_save(&h, image);
    } else if (strcmp(command, "damage") == 0) {
        scene_damage(&h, number(arguments, 3), (uint32_t)number(arguments, 4));
    } else {
        host_fail("unknown command %s", command);
    }
    host_close(&h);
    return 0;
}
