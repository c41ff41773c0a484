/* SPDX-License-Identifier: MIT */
/*
 * port.h - all that the project uses of FatFs: names, entries of directories and chains of clusters of one FAT12,
 * FAT16, FAT32 or exFAT volume, without its paths and open files. What is open, what is written when, and what
 * waits is decided by services/fs/fat.
 *
 * One volume for each program, and one operation at a time. Operations return when the disk has answered, by the
 * functions of struct fatfs_disk. With any result but FATFS_OK, what was written so far stays written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FATFS_NAME_BYTES 255u
#define FATFS_NO_LONG_NAME UINT32_MAX

enum fatfs_result {
    FATFS_OK,
    FATFS_NONE,    /* there is no such name, or no further one */
    FATFS_NAME,    /* a name that the format does not allow */
    FATFS_FULL,    /* no free cluster, or no room in a root directory of fixed size */
    FATFS_DAMAGED, /* the volume contradicts itself */
    FATFS_DEVICE,  /* the disk failed */
    FATFS_FOREIGN, /* no volume of these formats, or one of a form that FatFs does not know */
};

enum fatfs_type { FATFS_FAT12 = 1, FATFS_FAT16, FATFS_FAT32, FATFS_EXFAT };

/* What sectors hold, since they have to be written in a certain order. */
enum fatfs_class {
    FATFS_BYTES,   /* of files; and new, empty clusters of directories */
    FATFS_TABLES,  /* which clusters are used: FAT, bitmap, the counters of FAT32 */
    FATFS_ENTRIES, /* of directories */
    FATFS_MARK,    /* the boot sector, with the note that the volume is in use */
};

/* Sectors are numbered from the beginning of the volume. False: the disk failed. */
struct fatfs_disk {
    void *context;
    uint32_t sector_bytes; /* 512 to 4096 */
    bool (*read)(void *context, void *to, uint32_t sector, uint32_t count);
    bool (*write)(void *context, const void *from, uint32_t sector, uint32_t count,
                  enum fatfs_class class);
};

/*
 * A time of an entry, by a clock somewhere: `stamp` is years since 1980, month, day, hour, minute, and seconds in
 * steps of two, `hundredths` of seconds come to that, 0 to 199. `offset` says how far that clock is ahead of UTC, in
 * steps of 15 minutes, in two's complement of seven bits; without its bit FATFS_OFFSET_VALID nothing says it. FAT
 * has no offset, and hundredths only of when a file was made.
 */
#define FATFS_OFFSET_VALID 0x80u
struct fatfs_time {
    uint32_t stamp;
    uint8_t hundredths, offset;
};

/* A file or directory: what its entry says, and where that is. Its times are as the format has them. */
struct fatfs_object {
    const struct fatfs_object *directory; /* NULL: it is the root */
    uint32_t entry;       /* the last of its entries, in bytes from the directory's beginning */
    uint32_t first_entry; /* of the long name; FATFS_NO_LONG_NAME: it has none */
    uint32_t cluster;     /* the first; 0: none */
    uint64_t size;        /* of a directory of FAT: 0 */
    uint64_t valid;       /* bytes that were ever written; what is behind is zeros */
    struct fatfs_time created, modified;
    bool is_directory, is_read_only, in_one_piece;
    uint32_t at_cluster; /* FatFs' own: of byte at - 1, where it was used last */
    uint64_t at;
};

struct fatfs_space {
    uint64_t cluster_bytes, clusters, free_clusters;
};

/* A name; false: no more of them. `next` is where the listing goes on behind it. */
typedef bool fatfs_emit(void *context, const char *name, const struct fatfs_object *object,
                        uint32_t next);

/* The disk stays. The boot sector was looked at before: fat_boot_read(). */
enum fatfs_result fatfs_mount(const struct fatfs_disk *disk);
enum fatfs_type fatfs_type(void);
/* Counted by reading all tables, once. */
enum fatfs_result fatfs_space(struct fatfs_space *space);
/* Whether the volume is marked as in use, which means: it was not let go of in an orderly way. FAT12 has the mark
 * too. */
enum fatfs_result fatfs_marked(bool *marked);
enum fatfs_result fatfs_mark(bool marked);
/* The counters of FAT32. */
enum fatfs_result fatfs_write_counters(void);

struct fatfs_object fatfs_root(void);
/* `name` ends with 0. FATFS_NAME: nothing can have it. The object's `directory` is the given one. */
enum fatfs_result fatfs_find(const struct fatfs_object *directory, const char *name,
                             struct fatfs_object *object);
enum fatfs_result fatfs_list(const struct fatfs_object *directory, uint32_t from, fatfs_emit *emit,
                             void *context);

/* Each writes entries; the directory may get one more cluster. Nothing of this name may be there. */
enum fatfs_result fatfs_create(struct fatfs_object *directory, const char *name, bool is_directory,
                               struct fatfs_time now, struct fatfs_object *object);
/* A second entry for the object, whose own stays; `as` is the object with that entry. */
enum fatfs_result fatfs_copy_entry(const struct fatfs_object *object,
                                   struct fatfs_object *directory, const char *name,
                                   struct fatfs_object *as);
/* A directory's note of what it is in, after it has another `directory`. */
enum fatfs_result fatfs_set_parent(const struct fatfs_object *object);
/* As an entry of this volume holds when something was modified. */
struct fatfs_time fatfs_modified(struct fatfs_time time);
/* The object's entry says what the object says. */
enum fatfs_result fatfs_update(const struct fatfs_object *object);
enum fatfs_result fatfs_remove_entry(const struct fatfs_object *object);
/* Its clusters are free. */
enum fatfs_result fatfs_free(const struct fatfs_object *object);

/* Up to `length` bytes that are there at `offset`, below `size`. */
enum fatfs_result fatfs_read(struct fatfs_object *object, uint64_t offset, void *to,
                             uint32_t length, uint32_t *count);
/* `offset` is at most `size`. Fewer than `length`: the volume is full, or the file as large as the format allows. The
 * entry does not say it yet. */
enum fatfs_result fatfs_write(struct fatfs_object *object, uint64_t offset, const void *from,
                              uint32_t length, uint32_t *count);
/* Frees what an object has behind its `size`, not 0, when it was larger. */
enum fatfs_result fatfs_cut(struct fatfs_object *object, uint64_t old_size);
