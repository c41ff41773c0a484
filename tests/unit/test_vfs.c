// SPDX-License-Identifier: MIT
/* test_vfs - the mount table and the steps of a mount, with a model of volumes and file systems. */
#include <stdio.h>
#include <string.h>

#include "services/vfs/table.h"
#include "tests/unit/unit.h"

/* ---- What the steps act on ---- */

static struct {
    uint64_t now_ns;
    mnos_status_t find_status, begin_status;
    bool settled;
    struct mount_status said;
    unsigned finds, begins, ends;
} model;

static uint64_t now_ns(void *)
{
    return model.now_ns;
}

static mnos_status_t find(void *, const struct vfs_entry *entry, struct vfs_volume *volume,
                          bool *settled)
{
    model.finds++;
    *settled = model.settled;
    CHECK_EQ(entry->state, VFS_PROBING);
    if (model.find_status == MNOS_OK)
        *volume = (struct vfs_volume){.id = {7}, .type = "ext4", .service = "ext4"};
    return model.find_status;
}

static mnos_status_t begin(void *, const struct vfs_entry *entry, struct mount_status *status)
{
    model.begins++;
    CHECK_EQ(entry->state, VFS_STARTING); /* V1: stored before the step */
    *status = model.said;
    return model.begin_status;
}

static mnos_status_t look(void *, const struct vfs_entry *, struct mount_status *status)
{
    *status = model.said;
    return model.begin_status;
}

static mnos_status_t end(void *, const struct vfs_entry *entry, struct mount_status *status)
{
    model.ends++;
    CHECK_EQ(entry->state, VFS_STOPPING);
    *status = model.said;
    return MNOS_OK;
}

static const struct vfs_world world = {
    .now_ns = now_ns, .find = find, .begin = begin, .look = look, .end = end};

/* ---- A compiled table ---- */

static struct {
    struct mounts_header header;
    struct mounts_entry entries[2];
    struct mounts_type types[1];
} compiled;

static void make_compiled(void)
{
    memset(&compiled, 0, sizeof compiled);
    compiled.header = (struct mounts_header){MOUNTS_MAGIC, MOUNTS_VERSION, sizeof compiled, 2, 1};
    strcpy(compiled.entries[0].at, "/tmp");
    strcpy(compiled.entries[0].service, "tmpfs");
    strcpy(compiled.entries[1].at, "/disk");
    compiled.entries[1].want = MOUNTS_WANT_FIRST;
    strcpy(compiled.entries[1].types[0], "ext4");
    strcpy(compiled.types[0].type, "ext4");
    strcpy(compiled.types[0].service, "ext4");
}

static struct vfs_table table;

static struct vfs_entry *make_table(const char *name)
{
    memset(&model, 0, sizeof model);
    model.now_ns = 1000;
    make_compiled();
    CHECK(vfs_table_format(&table, &compiled, sizeof compiled) == NULL);
    CHECK(vfs_table_check(&table) == NULL);
    return vfs_find(&table, name, strlen(name));
}

TEST(vfs, a_compiled_table_is_read)
{
    struct vfs_entry *tmp = make_table("tmp");

    CHECK(tmp != NULL && tmp->state == VFS_PROBING && strcmp(tmp->service, "tmpfs") == 0);
    CHECK(vfs_find(&table, "disk", 4) != NULL && vfs_find(&table, "dis", 3) == NULL);
    CHECK(vfs_find_inode(&table, tmp->inode) == tmp);
    CHECK(vfs_find_inode(&table, VFS_ROOT_INODE) == NULL);
    CHECK(strcmp(vfs_service_of(&table, "ext4"), "ext4") == 0);
    CHECK(vfs_service_of(&table, "fat32") == NULL);
}

TEST(vfs, a_malformed_table_is_refused)
{
    static uint8_t bytes[sizeof compiled];
    static struct vfs_table made;

    make_compiled();
    for (size_t size = 0; size < sizeof compiled; size++)
        CHECK(vfs_table_format(&made, &compiled, size) != NULL);
    for (size_t i = 0; i < sizeof compiled; i++) {
        memcpy(bytes, &compiled, sizeof compiled);
        bytes[i] ^= 0xFF;
        if (vfs_table_format(&made, bytes, sizeof bytes) == NULL)
            CHECK(vfs_table_check(&made) == NULL);
        else
            CHECK(made.magic == 0); /* what is not whole is not taken for a table */
    }
    strcpy(compiled.entries[1].at, "/tmp");
    CHECK(vfs_table_format(&made, &compiled, sizeof compiled) != NULL);
}

TEST(vfs, a_mount_point_is_a_slash_and_a_name)
{
    static const char *const good[] = {"/a", "/disk", "/..a"};
    static const char *const bad[] = {"", "/", "a", "/.", "/..", "/a/b", "//", "/a b", "/\x7f"};
    char at[VFS_PATH_BYTES];

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        strcpy(at, good[i]);
        CHECK(vfs_path_is_good(at));
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(at, 0, sizeof at);
        strcpy(at, bad[i]);
        CHECK(!vfs_path_is_good(at));
    }
    memset(at, 'a', sizeof at);
    at[0] = '/';
    CHECK(!vfs_path_is_good(at)); /* it does not end */
}

TEST(vfs, a_file_system_without_a_volume_is_mounted_at_once)
{
    struct vfs_entry *tmp = make_table("tmp");

    model.said = (struct mount_status){.state = MOUNT_STATE_MOUNTED, .type = "tmpfs"};
    vfs_go_on(&world, tmp);
    CHECK_EQ(tmp->state, VFS_MOUNTED);
    CHECK(strcmp(tmp->type, "tmpfs") == 0 && model.finds == 0 && model.begins == 1);
    CHECK(!vfs_service_is_free(&table, "tmpfs", NULL) && vfs_service_is_free(&table, "tmpfs", tmp));
    /* Looked at again it stays. */
    vfs_go_on(&world, tmp);
    CHECK_EQ(tmp->state, VFS_MOUNTED);
    /* A service that is stopped is said to be. */
    model.begin_status = MNOS_ERR_STOPPED;
    vfs_go_on(&world, tmp);
    CHECK(tmp->state == VFS_FAILED && tmp->status == MNOS_ERR_STOPPED);
    /* And asked again when it has been started. */
    vfs_go_on(&world, tmp);
    CHECK_EQ(tmp->state, VFS_FAILED);
    CHECK(vfs_peer_started(tmp));
    model.begin_status = MNOS_OK;
    vfs_go_on(&world, tmp);
    CHECK_EQ(tmp->state, VFS_MOUNTED);
    CHECK(!vfs_peer_started(tmp));
}

TEST(vfs, a_volume_is_waited_for_until_all_disks_were_looked_at)
{
    struct vfs_entry *disk = make_table("disk");

    model.find_status = MNOS_ERR_NOT_FOUND;
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_PROBING && vfs_is_on_its_way(disk));
    model.now_ns += VFS_PROBE_NS;
    vfs_go_on(&world, disk);
    CHECK_EQ(disk->state, VFS_PROBING); /* disks are still being looked at */
    model.settled = true;
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_ABSENT && disk->status == MNOS_ERR_NOT_FOUND && disk->reason[0] != 0);
    /* It comes later: nobody has to ask. */
    vfs_volumes_changed(disk);
    vfs_go_on(&world, disk);
    CHECK_EQ(disk->state, VFS_ABSENT); /* another one came */
    vfs_volumes_changed(disk);
    model.find_status = MNOS_OK;
    model.said.state = MOUNT_STATE_MOUNTING;
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_STARTING && disk->volume[0] == 7);
    model.said = (struct mount_status){.state = MOUNT_STATE_MOUNTED, .type = "ext4"};
    vfs_go_on(&world, disk);
    CHECK_EQ(disk->state, VFS_MOUNTED);
}

TEST(vfs, disks_that_are_looked_at_for_ever_are_waited_for_a_minute)
{
    struct vfs_entry *disk = make_table("disk");

    model.find_status = MNOS_ERR_NOT_FOUND;
    vfs_go_on(&world, disk);
    model.now_ns += VFS_PROBE_MAX_NS;
    vfs_go_on(&world, disk);
    CHECK_EQ(disk->state, VFS_ABSENT);
}

TEST(vfs, what_mounting_meets_is_kept)
{
    struct vfs_entry *disk = make_table("disk");

    model.said = (struct mount_status){
        .state = MOUNT_STATE_FAILED, .status = MNOS_ERR_FORMAT, .reason = "no superblock"};
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_FAILED && disk->status == MNOS_ERR_FORMAT);
    CHECK(strcmp(disk->reason, "no superblock") == 0);
    CHECK(vfs_service_is_free(&table, "ext4", NULL));
    /* A service that does not take the request fails it too. */
    disk = make_table("disk");
    model.begin_status = MNOS_ERR_STATE;
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_FAILED && disk->status == MNOS_ERR_STATE);
}

TEST(vfs, a_run_that_knows_nothing_of_its_volume_mounts_it_again)
{
    struct vfs_entry *disk = make_table("disk");

    model.said.state = MOUNT_STATE_MOUNTED;
    vfs_go_on(&world, disk);
    CHECK_EQ(model.begins, 1);
    model.said.state = MOUNT_STATE_NONE;
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_STARTING && model.begins == 2);
}

TEST(vfs, unmounting_ends_when_the_file_system_says_so)
{
    struct vfs_entry *disk = make_table("disk");

    model.said.state = MOUNT_STATE_MOUNTED;
    vfs_go_on(&world, disk);
    disk->unmounted = 1;
    disk->state = VFS_STOPPING;
    model.said.state = MOUNT_STATE_UNMOUNTING;
    vfs_go_on(&world, disk);
    CHECK_EQ(disk->state, VFS_STOPPING);
    model.said.state = MOUNT_STATE_NONE;
    vfs_go_on(&world, disk);
    CHECK(disk->state == VFS_ABSENT && model.ends == 2);
    vfs_volumes_changed(disk);
    CHECK_EQ(disk->state, VFS_ABSENT); /* by order: it stays unmounted */
}

TEST(vfs, each_state_can_be_gone_on_from_by_another_run)
{
    /* A run that dies before, in, or behind each step leaves the state of before or of behind it (V1). */
    for (uint32_t state = VFS_PROBING; state <= VFS_MOUNTED; state++) {
        struct vfs_entry *disk = make_table("disk");

        model.said.state = MOUNT_STATE_MOUNTED;
        disk->state = state;
        vfs_go_on(&world, disk);
        CHECK_EQ(disk->state, VFS_MOUNTED);
        CHECK(vfs_table_check(&table) == NULL);
    }
}

TEST(vfs, an_order_is_followed_once_however_often_it_is_given)
{
    struct vfs_entry *disk = make_table("disk");

    /* The first of its name: for a point that is not there yet. */
    CHECK_EQ(vfs_order_of(NULL, VFS_MOUNT, 0, 7), VFS_ORDER_NEW);
    CHECK_EQ(vfs_order_of(NULL, VFS_MOUNT, 1, 7), VFS_ORDER_LATE);
    CHECK_EQ(vfs_order_of(disk, VFS_UMOUNT, 0, 7), VFS_ORDER_NEW);
    vfs_follow(disk, VFS_UMOUNT, 7);
    CHECK_EQ(vfs_order_of(disk, VFS_UMOUNT, 0, 7), VFS_ORDER_AGAIN);
    CHECK_EQ(vfs_order_of(disk, VFS_UMOUNT, 0, 8), VFS_ORDER_LATE); /* another one's */
    CHECK_EQ(vfs_order_of(disk, VFS_MOUNT, 0, 7), VFS_ORDER_LATE);  /* another order */
    CHECK_EQ(vfs_order_of(disk, VFS_MOUNT, 1, 8), VFS_ORDER_NEW);
    vfs_follow(disk, VFS_MOUNT, 8);
    CHECK_EQ(vfs_order_of(disk, VFS_UMOUNT, 0, 7), VFS_ORDER_LATE); /* overtaken */
    CHECK_EQ(vfs_order_of(disk, VFS_MOUNT, 1, 8), VFS_ORDER_AGAIN);
}

TEST(vfs, entries_of_commands_come_and_go)
{
    char at[VFS_PATH_BYTES];
    unsigned made = 0;

    (void)make_table("tmp");
    for (; made < VFS_MOUNTS_MAX; made++) {
        struct vfs_entry *entry;

        snprintf(at, sizeof at, "/m%u", made);
        entry = vfs_add(&table, at);
        if (entry == NULL)
            break;
        entry->state = VFS_PROBING;
    }
    CHECK_EQ(made, VFS_MOUNTS_MAX - 2);
    CHECK(vfs_table_check(&table) == NULL);
    vfs_find(&table, "m3", 2)->state = VFS_ABSENT;
    CHECK(vfs_add(&table, "/other") != NULL && vfs_find(&table, "m3", 2) == NULL);
    CHECK(vfs_find(&table, "tmp", 3) != NULL); /* the manifest's stay */
    CHECK(vfs_table_check(&table) == NULL);
}
