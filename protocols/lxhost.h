// SPDX-License-Identifier: MIT
/* lxhost.h - labels and records between lx and the server of its container; what they mean is in lxhost.def. */
#pragma once

#include <stdint.h>

#include "abi/types.h"

enum lxhost_request {
#define REQUEST(label, name, class, request, reply, text) LXHOST_##name = (label),
#include "protocols/lxhost.def"
#undef REQUEST
};

/* Set at the process' own endpoint. */
#define LXHOST_EVENT_LOOK (1ull << 3)
#define LXHOST_EVENT_SIGNAL (1ull << 63)

#define LXHOST_WINDOW_PAGES 4u
#define LXHOST_NOTICE_BYTES 64u
#define LXHOST_WINDOW_BYTES (LXHOST_WINDOW_PAGES * MNOS_PAGE_BYTES - LXHOST_NOTICE_BYTES)
#define LXHOST_PIPE_ATOMIC 4096u /* PIPE_BUF */
#define LXHOST_MOUNTS_MAX 15u    /* sessions of one process, that of its file among them */

/* As much of `count` bytes as fits the window. */
static inline uint64_t lxhost_window_part(uint64_t count)
{
    return count < LXHOST_WINDOW_BYTES ? count : LXHOST_WINDOW_BYTES;
}

/* Where a program that has not looked at its signals for a while is made to go on: nothing is ever mapped there, so lx has the
 * fault. */
#define LXHOST_INTERRUPT_AT 8u

/* The end of the window, behind its bytes. */
struct lxhost_notice {
    _Atomic uint64_t signals; /* not 0: SIGNALS would give some */
    _Atomic int32_t parent;   /* its pid, 0: none of the container's */
    _Atomic uint32_t stopped; /* not 0: STOP has been asked for, and no SIGCONT has come since */
    /* Not 0: the program was there when it was made to go on at LXHOST_INTERRUPT_AT; whoever takes it sets it to 0. */
    _Atomic uint64_t interrupted_at;
    _Atomic uint32_t network_taken; /* not 0: the session of the network was closed for good */
    uint32_t reserved[9];
};
_Static_assert(sizeof(struct lxhost_notice) == LXHOST_NOTICE_BYTES, "the end of the window");

struct lxhost_process {
    int32_t pid;
    uint32_t reserved;
};

struct lxhost_ids {
    int32_t pid, parent, group, session;
};

/* ---- What a process tells of itself, and is told of others ---- */

#define LXHOST_NAME_BYTES 16u /* with a NUL */
#define LXHOST_WORDS_BYTES                                                                         \
    160u /* of its arguments, each with its NUL; what does not fit is cut off */

struct lxhost_title {
    char name[LXHOST_NAME_BYTES];
    uint32_t words_bytes;
    char words[LXHOST_WORDS_BYTES];
};

struct lxhost_about {
    int32_t pid, parent, group, session;
    uint32_t state; /* a letter, as in proc(5): R, S, T, Z */
    uint32_t threads;
    uint64_t cpu_time_ns, started_ns; /* since boot */
    uint64_t frames;                  /* that it uses */
    struct lxhost_title title;        /* the process' word */
    uint32_t reserved;
};

struct lxhost_container {
    uint64_t frames_quota, frames_used;
    uint64_t processes;
};

/* ITIMER_REAL. */
struct lxhost_timer {
    uint64_t due_ns;      /* since boot; 0: it is not set */
    uint64_t interval_ns; /* 0: once */
};

struct lxhost_grow {
    uint64_t frames, bytes;
};

struct lxhost_pages {
    uint64_t pages;
};

/* ---- A copy ---- */

#define LXHOST_RUNS_MAX 512u
#define LXHOST_HANDLES_MAX 256u

enum lxhost_run_rights { LXHOST_RUN_READ = 1, LXHOST_RUN_WRITE = 2, LXHOST_RUN_EXECUTE = 4 };

/* Pages of the copy, one behind the other in the memory as the runs are. Not mapped without a right. */
struct lxhost_run {
    uint64_t address;
    uint32_t pages;
    uint32_t rights; /* enum lxhost_run_rights; not write and execute at once */
};

struct lxhost_handle {
    uint64_t
        handle;     /* of the asker's session; lxhost puts the copy's there, 0 when there is none */
    uint32_t mount; /* which session: the number in its name */
    uint32_t reserved;
};

/* In the image, and so in the copy. What the copy is to have is written by lx, what it has got by lxhost. */
struct lxhost_image {
    uint32_t run_count, handle_count;
    struct lxhost_run runs[LXHOST_RUNS_MAX];
    struct lxhost_handle handles[LXHOST_HANDLES_MAX];
    /* Of each session, by its number: its window, which the copy has as "windowN". */
    uint64_t window_bytes[LXHOST_MOUNTS_MAX];
    uint32_t session_rights[LXHOST_MOUNTS_MAX], session_types[LXHOST_MOUNTS_MAX];
    int32_t pid; /* the copy's */
    uint32_t reserved;
};
#define LXHOST_IMAGE_PAGES ((sizeof(struct lxhost_image) + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES)

struct lxhost_fork {
    uint64_t image_page; /* of struct lxhost_image, in the memory */
    uint64_t rip, rsp;   /* where its first thread begins */
};

/* ---- Ends ---- */

enum lxhost_wait_options {
    LXHOST_WAIT_STOPPED = 1,
    LXHOST_WAIT_CONTINUED = 2,
    LXHOST_WAIT_ENDED = 4,
    LXHOST_WAIT_KEEP = 8, /* what is told will be told again */
};

struct lxhost_wait {
    int32_t
        which; /* as wait4(2): -1 any, 0 of the asker's group, below that of a group, else that one */
    uint32_t options;
};

struct lxhost_children {
    uint32_t forgotten; /* 0: they are kept until they are waited for */
    uint32_t reserved;
};

struct lxhost_waited {
    int32_t pid;
    uint32_t status; /* as wait4(2) has it */
    uint64_t cpu_time_ns;
};

/* The code that a process of a container ends with: the status of wait4(2); or what lx itself has met. */
#define LXHOST_END_OF_LX 0x10000u
static inline uint32_t lxhost_exit_status(uint32_t code)
{
    return (code & 0xFF) << 8;
}

/* ---- Signals and groups ---- */

struct lxhost_kill {
    int32_t which;
    uint32_t signal;
};

struct lxhost_signals {
    uint64_t pending;   /* bit N - 1: signal N */
    int32_t senders[2]; /* of SIGCHLD, and of the highest other signal: 0 for the container's own */
};

struct lxhost_setpgid {
    int32_t pid, group;
};

struct lxhost_stop {
    uint32_t signal, reserved;
};

/* ---- Objects ---- */

struct lxhost_object {
    uint64_t object;
};

struct lxhost_offset {
    uint64_t offset;
};

enum lxhost_seek_flags { LXHOST_SEEK_SET = 1 };

struct lxhost_seek {
    uint64_t object;
    uint64_t offset;
    uint64_t flags;
};

struct lxhost_pipe {
    uint64_t read, write;
};

struct lxhost_io {
    uint64_t object;
    uint64_t count; /* bytes, from the beginning of the window on */
};

struct lxhost_count {
    uint64_t count;
};

enum lxhost_ready {
    LXHOST_READY_READ = 1,
    LXHOST_READY_WRITE = 2,
    LXHOST_READY_END = 4, /* nobody holds the other end */
};

struct lxhost_state {
    uint64_t bytes; /* that can be read */
    uint64_t ready; /* enum lxhost_ready */
};

/* ---- What the program was refused ---- */

enum lxhost_denied_kind {
    LXHOST_DENIED_PATH = 1,    /* text: the path, as the program has it */
    LXHOST_DENIED_CONNECT = 2, /* ADDRESS:PORT, with /udp behind it */
    LXHOST_DENIED_LISTEN = 3,  /* likewise */
    LXHOST_DENIED_RESOLVE = 4, /* a name of a host */
    LXHOST_DENIED_SOCKET = 5,  /* none: to have a socket at all */
};

#define LXHOST_DENIED_CALL 16u
#define LXHOST_DENIED_TEXT 216u

struct lxhost_denied {
    uint32_t kind;                 /* enum lxhost_denied_kind */
    uint32_t rights;               /* PATH: of a file (file.h), that it would have needed */
    int32_t error;                 /* that the program got: of Linux, positive */
    uint32_t cut;                  /* 1: the text was longer */
    char call[LXHOST_DENIED_CALL]; /* of Linux */
    char text[LXHOST_DENIED_TEXT];
};

/* ---- The terminal ---- */

enum lxhost_tty_flags { LXHOST_TTY_RAW = 1, LXHOST_TTY_FLUSH = 2 };

struct lxhost_tty_io {
    uint64_t count, flags;
};

#define LXHOST_TERMIOS_BYTES 36u /* struct termios of the kernel of Linux */

struct lxhost_tty {
    uint8_t termios[LXHOST_TERMIOS_BYTES];
    int32_t group, session; /* in the foreground; whose terminal it is */
    uint16_t rows, columns;
    uint32_t bytes; /* that can be read */
    uint32_t ready; /* enum lxhost_ready */
    uint32_t reserved;
};

struct lxhost_tty_set {
    uint8_t termios[LXHOST_TERMIOS_BYTES];
    uint32_t flags;
};
