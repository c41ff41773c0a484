// SPDX-License-Identifier: MIT
/* file.h - labels and records of the file protocol; what they mean is in file.def. */
#pragma once

#include <stdint.h>

enum file_request {
#define REQUEST(label, name, class, request, reply, text) FILE_##name = (label),
#include "protocols/file.def"
#undef REQUEST
};

#define FILE_NAME_BYTES_MAX 255
#define FILE_PATH_BYTES_MAX 3900
#define FILE_LINKS_FOLLOWED_MAX 40
#define FILE_WINDOW_BYTES_MIN 65536u
#define FILE_WINDOW_BYTES_MAX 1048576u
/* As window offset: the bytes are in the message. */
#define FILE_INLINE UINT64_MAX
#define FILE_INLINE_BYTES_MAX 3968u
#define FILE_INHERIT_MAX 64u

/* What a session or an open file allows. They only shrink. */
enum file_rights {
    FILE_LOOKUP = 1, /* names of directories */
    FILE_READ_RIGHT = 2,
    FILE_WRITE_RIGHT = 4,
    FILE_CREATE_RIGHT = 8, /* names made, moved and removed */
    FILE_REVOKE = 16,      /* CLOSE_TREE */
    FILE_RIGHTS_ALL = 31,
};

enum file_flags {
    FILE_CREATE = 1,
    FILE_EXCLUSIVE = 2,
    FILE_TRUNCATE_FIRST = 4,
    FILE_ONLY_DIRECTORY = 8,
    FILE_NO_FOLLOW = 16, /* the last component is not followed */
    FILE_BENEATH = 32,   /* ERR_REST is final: the library does not go on elsewhere */
};

enum file_type { FILE_TYPE_NONE, FILE_TYPE_FILE, FILE_TYPE_DIRECTORY, FILE_TYPE_SYMLINK };

enum file_rest_reason { FILE_REST_PARENT = 1, FILE_REST_ABSOLUTE = 2, FILE_REST_MOUNT = 3 };

/* With ERR_REST; the rest of the path follows, without the `..` or `/` that left the session. */
struct file_rest {
    uint16_t reason; /* enum file_rest_reason */
    uint16_t which;  /* of two paths: 0 or 1 */
    uint32_t links;  /* that were followed */
    uint64_t inode;  /* of the mount point */
};
_Static_assert(sizeof(struct file_rest) == 16, "shared between programs");

struct file_open {
    uint64_t directory; /* handle, or 0 */
    uint32_t flags;
    uint32_t rights;
};
_Static_assert(sizeof(struct file_open) == 16, "shared between programs");

struct file_opened {
    uint64_t handle; /* 16 bits of index, 48 of generation; never 0 */
    uint64_t size;
    uint64_t inode;
    uint32_t type;
    uint32_t rights;
};
_Static_assert(sizeof(struct file_opened) == 32, "a record of a lane: it fits the registers");

struct file_path {
    uint64_t directory;
    uint32_t flags; /* FILE_NO_FOLLOW or 0 */
    uint32_t reserved;
};
_Static_assert(sizeof(struct file_path) == 16, "shared between programs");

/* Two texts follow, the first of `first_bytes`; each belongs to the directory handle of its number.
 */
struct file_two {
    uint64_t first_directory; /* SYMLINK: 0 */
    uint64_t second_directory;
    uint32_t first_bytes;
    uint32_t reserved;
};
_Static_assert(sizeof(struct file_two) == 24, "shared between programs");

struct file_handle {
    uint64_t handle;
};

struct file_readdir {
    uint64_t handle;
    uint64_t cookie; /* 0: from the beginning */
};

struct file_names {
    uint64_t next; /* the cookie to go on with */
    uint32_t count;
    uint32_t end; /* 1: there is nothing behind `next`. A reply may be empty before that */
};
_Static_assert(sizeof(struct file_names) == 16, "shared between programs");

/* `bytes` of text follow, then zeros up to a multiple of 8. */
struct file_name {
    uint64_t inode;
    uint16_t bytes;
    uint16_t type;
    uint32_t reserved;
};
_Static_assert(sizeof(struct file_name) == 16, "shared between programs");

struct file_io {
    uint64_t handle;
    uint64_t offset;
    uint64_t window_offset;
    uint64_t length;
};
_Static_assert(sizeof(struct file_io) == 32, "it fits the registers");

struct file_count {
    uint64_t bytes;
    uint64_t offset; /* where they begin */
};

#define FILE_VIEW_PAGES_MAX 64u
/* The last bytes of a session's window, in which the service writes its cells. What a client writes there it tells itself. */
#define FILE_CELLS_BYTES 4096u

struct file_view_request {
    uint64_t handle;
    uint64_t offset;   /* of a byte that shall be in it */
    uint64_t replaces; /* the number of a view of this session that ends, or 0 */
    uint64_t pages;    /* how many at most; 0: none */
};
_Static_assert(sizeof(struct file_view_request) == 32, "it fits the registers");

struct file_view_given {
    uint64_t number; /* never 0, and never given again */
    uint64_t offset; /* of the first byte that is lent */
    uint32_t pages;  /* 0: none */
    uint32_t cell;   /* which one: from the beginning of FILE_CELLS_BYTES */
};
_Static_assert(sizeof(struct file_view_given) == 24, "shared between programs");

struct file_truncate {
    uint64_t handle;
    uint64_t size;
};

enum file_time_flags { FILE_TIME_NOW = 1 }; /* of the service's clock, and not the record's */

struct file_set_time {
    uint64_t handle;
    int64_t modified_ns; /* as in struct file_attr */
    uint64_t flags;      /* enum file_time_flags */
};
_Static_assert(sizeof(struct file_set_time) == 24, "it fits the registers");

enum file_watch_what {
    FILE_WATCH_CHANGES,
    FILE_WATCH_OPENS, /* of an open directory: another session opens what has a name in it */
};

struct file_watch {
    uint64_t events; /* first, as in struct listen_request */
    uint64_t handle;
    uint64_t what; /* enum file_watch_what */
};
_Static_assert(sizeof(struct file_watch) == 24, "shared between programs");

enum file_seek_what { FILE_SEEK_DATA, FILE_SEEK_HOLE };

struct file_seek {
    uint64_t handle;
    uint64_t offset;
    uint32_t what; /* enum file_seek_what */
    uint32_t reserved;
};
_Static_assert(sizeof(struct file_seek) == 24, "shared between programs");

enum file_allocate_flags {
    FILE_ALLOCATE_KEEP_SIZE = 1, /* the file does not become longer */
    FILE_ALLOCATE_PUNCH =
        2, /* the reverse: the bytes become zeros, and their memory is given back */
};

struct file_allocate {
    uint64_t handle;
    uint64_t offset, bytes;
    uint64_t flags; /* enum file_allocate_flags */
};
_Static_assert(sizeof(struct file_allocate) == 32, "it fits the registers");

enum file_lock_kind { FILE_LOCK_NONE, FILE_LOCK_SHARED, FILE_LOCK_EXCLUSIVE };
enum file_lock_flags { FILE_LOCK_WAIT = 1 };

struct file_lock {
    uint64_t handle;
    uint64_t owner;        /* the client's own word: locks of one owner do not exclude each other */
    uint64_t first, bytes; /* 0 bytes: all from `first` on, however long the file becomes */
    uint32_t kind;         /* enum file_lock_kind; FILE_LOCK_NONE takes the lock away */
    uint32_t flags;        /* enum file_lock_flags */
};
_Static_assert(sizeof(struct file_lock) == 40, "shared between programs");

struct file_export {
    uint64_t handle;
    uint32_t rights;
    uint32_t
        account; /* to which service what is made through it is charged, by number; 0: the asker's */
};

struct file_open_session {
    uint64_t window_bytes; /* what the client would like; between the limits above */
    uint64_t flags;        /* 0 or FILE_SESSION_HANDED_ON; else ERR_ARGUMENT */
};

/* The window's capability carries Grant: the session is for a process that the client makes, which gets it. */
#define FILE_SESSION_HANDED_ON 1u

struct file_limits {
    uint64_t window_bytes;
    uint32_t rights;
    uint32_t lanes;
    uint32_t handles; /* that the client may have open */
    uint32_t type;    /* of the root */
    uint64_t root;    /* its inode */
};
_Static_assert(sizeof(struct file_limits) == 32, "shared between programs");

struct file_session_info {
    uint64_t root;
    uint32_t rights;
    uint32_t handles;
    uint32_t below; /* sessions exported from it and from those */
    uint32_t reserved;
};
_Static_assert(sizeof(struct file_session_info) == 24, "shared between programs");

/* Times are nanoseconds since 1970, and before that negative, by the clock as a time server has set it last, else by what
 * the loader has read; where there was none, the machine was started in 1970. They reach from 1677 to 2262: what a file
 * system has beyond that is the nearest. */
struct file_attr {
    uint64_t inode;
    uint64_t generation; /* an inode number that is used again has another one */
    uint64_t size;
    uint64_t allocated_bytes;
    int64_t created_ns;
    int64_t modified_ns;
    int64_t changed_ns;
    uint32_t type; /* enum file_type */
    uint32_t links;
};
_Static_assert(sizeof(struct file_attr) == 64, "shared between programs");

/* What ATTR would answer, as long as `number` is that of the view, and `changes` is even and the same before and after. */
struct file_cell {
    uint64_t number;
    uint64_t changes;
    struct file_attr attr;
    uint64_t reserved[6];
};
_Static_assert(sizeof(struct file_cell) == 128, "shared between programs; whole cache lines");
#define FILE_CELLS (FILE_CELLS_BYTES / sizeof(struct file_cell))

struct file_space {
    uint64_t total_bytes;
    uint64_t free_bytes;
    uint64_t own_bytes; /* that the client's files take */
    uint64_t own_limit; /* that they may take */
    uint64_t total_inodes;
    uint64_t free_inodes;
    char type[16];
};
_Static_assert(sizeof(struct file_space) == 64, "shared between programs");
