// SPDX-License-Identifier: MIT
/*
 * tool - the ext4 core on images in files, for tests/ext4/test_ext4.py. Before the image: late=SEED, the disk answers
 * late and in any order; slots=N, blocks in the cache; clock=NS, what time it is.
 *
 *   tool IMAGE list                         what it holds, without changing it
 *   tool IMAGE replay                       mounts, lists, unmounts, writes the image back
 *   tool IMAGE random SEED N                N random operations, compared with a model
 *   tool IMAGE cut SEED N CUTS KEEP FOLDER  the same, and the power is cut
 *   tool IMAGE die SEED N EVERY KEEP FOLDER the same, and the process dies at each EVERYth moment
 *   tool IMAGE many N [keep]                N files in one directory, found, and all of them or half removed
 *   tool IMAGE fail N                       writing fails from the Nth write on
 *   tool IMAGE damage SEED N                N damaged images, looked at and changed
 *   tool IMAGE foreign                      mounted or refused, which is said; then looked at and changed
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

struct settings {
    uint64_t late, slots, clock;
};

/* What stands before the image; answers how many there were. */
static int read_settings(char **arguments, struct settings *settings)
{
    int count = 0;

    for (; arguments[count + 1] != NULL && strchr(arguments[count + 1], '=') != NULL; count++) {
        const char *text = arguments[count + 1];

        if (sscanf(text, "late=%lu", &settings->late) != 1 &&
            sscanf(text, "slots=%lu", &settings->slots) != 1 &&
            sscanf(text, "clock=%lu", &settings->clock) != 1)
            host_fail("unknown setting %s", text);
    }
    return count;
}

static void run(struct host *h, int count, char **arguments)
{
    const char *image = arguments[1], *command = arguments[2];

    if (strcmp(command, "list") == 0) {
        list(h, true);
    } else if (strcmp(command, "replay") == 0) {
        list(h, false);
        host_save(h, image);
    } else if (strcmp(command, "random") == 0) {
        check(h, host_mount(h, false), "mount");
        h->has_visitors = h->late;
        model_random(h, number(arguments, 3), (uint32_t)number(arguments, 4));
        check(h, host_unmount(h), "unmount");
        host_save(h, image);
        printf("again: %llu\n", (unsigned long long)h->again);
    } else if (strcmp(command, "cut") == 0) {
        check(h, host_mount(h, false), "mount");
        h->has_visitors = h->late;
        if (count < 8)
            host_fail("cut SEED N CUTS KEEP FOLDER");
        model_cut(h, number(arguments, 3), (uint32_t)number(arguments, 4),
                  (uint32_t)number(arguments, 5), (uint32_t)number(arguments, 6), arguments[7]);
    } else if (strcmp(command, "die") == 0) {
        check(h, host_mount(h, false), "mount");
        h->has_visitors = h->late;
        if (count < 8)
            host_fail("die SEED N EVERY KEEP FOLDER");
        model_die(h, number(arguments, 3), (uint32_t)number(arguments, 4),
                  (uint32_t)number(arguments, 5), (uint32_t)number(arguments, 6), arguments[7]);
    } else if (strcmp(command, "many") == 0) {
        check(h, host_mount(h, false), "mount");
        h->has_visitors = h->late;
        scene_many(h, (uint32_t)number(arguments, 3), count > 4);
        check(h, host_unmount(h), "unmount");
        host_save(h, image);
    } else if (strcmp(command, "fail") == 0) {
        h->quiet = true;
        check(h, host_mount(h, false), "mount");
        scene_fail(h, (uint32_t)number(arguments, 3));
        host_save(h, image);
    } else if (strcmp(command, "cutting") == 0) {
        check(h, host_mount(h, false), "mount");
        scene_cut(h);
        check(h, host_unmount(h), "unmount");
        host_save(h, image);
    } else if (strcmp(command, "magic") == 0) {
        check(h, host_mount(h, false), "mount");
        scene_magic(h, (uint32_t)number(arguments, 3));
        host_save(h, image);
    } else if (strcmp(command, "damage") == 0) {
        scene_damage(h, number(arguments, 3), (uint32_t)number(arguments, 4));
    } else if (strcmp(command, "foreign") == 0) {
        scene_foreign(h);
    } else {
        host_fail("unknown command %s", command);
    }
}

int main(int count, char **arguments)
{
    struct settings settings = {0, HOST_SLOTS, HOST_CLOCK_NS};
    int before = read_settings(arguments, &settings);
    static struct host h;

    if (count - before < 3)
        host_fail("tool [late=SEED] [slots=N] [clock=NS] IMAGE COMMAND ...");
    arguments += before;
    host_load(&h, arguments[1], (uint32_t)settings.slots);
    h.now_ns = settings.clock;
    h.late = settings.late != 0;
    h.random += settings.late * 0x9E3779B97F4A7C15ull;
    run(&h, count - before, arguments);
    host_close(&h);
    return 0;
}
