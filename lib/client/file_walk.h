// SPDX-License-Identifier: MIT
/*
 * file_walk.h - where the paths of a request lead, over what is mounted: what file_path.c has in place, and file_walk.c does
 * when a path is long, leads to another session, or its request is not simply answered.
 */
#pragma once

#include "lib/base/string.h"
#include "lib/client/file_internal.h"

/* Where one path of a request has come. */
struct file_path_at {
    struct file_session *session;
    uint64_t directory; /* handle; 0: the root */
    const char *text;
    size_t bytes;
    uint32_t run; /* of the session, when it was asked last */
};

struct file_asked {
    uint32_t operation, flags, rights;
    bool once;
    unsigned count; /* of paths; 0: a text that is none, and a path (SYMLINK) */
};

/* What the registers hold of the reply of a request with one path; the rest of it is in the IPC buffer. */
struct file_answer {
    uint64_t words[4];
    uint32_t length;
};

/* As message_get(). Whole words are stored, so any other size is left to message_get_part(). */
static inline void file_take_answer(const struct file_answer *answer, void *out, size_t size)
{
    size_t in_registers = size < sizeof answer->words ? size : sizeof answer->words;

    if (__builtin_expect(answer->length != size || size % 8 != 0, 0)) {
        struct message message = {.info = answer->length};

        memcpy(message.words, answer->words, sizeof message.words);
        (void)message_get_part(&message, out, size);
        return;
    }
    for (size_t at = 0; at < in_registers; at += 8) /* one by one: they are in registers */
        memcpy((uint8_t *)out + at, &answer->words[at / 8], 8);
    if (size > in_registers)
        memcpy((uint8_t *)out + in_registers, ipc_buffer()->data, size - in_registers);
}

/* What is known to be mounted at the first component is gone to without asking the table. */
void file_walk_known(struct file_path_at *path);
/* A request with one path, which may be of any length. */
mnos_status_t file_walk_long(struct file_answer *answer, const struct file_asked *what,
                             struct file_path_at *path);
/* Goes on with a request with one path whose call has not ended with MNOS_OK: as file_quick_on(), and wherever the path leads.
 * It gives the lane back. */
mnos_status_t file_walk_on(struct file_answer *answer, const struct file_asked *what,
                           struct file_path_at *path, const struct message *request, uint32_t lane,
                           const struct ipc_registers *regs, uint64_t rax);
/* A request with two texts. */
mnos_status_t file_walk_two(const struct file_asked *what, struct file_path_at paths[2]);

/* strlen() by eights. An aligned load reads nothing of a page that the text does not reach, but more than the text, which
 * the sanitizer of addresses would take for an error. */
__attribute__((no_sanitize("address"))) static inline size_t file_text_bytes(const char *text)
{
    typedef uint64_t __attribute__((may_alias)) word_t;
    static const uint64_t ones = 0x0101010101010101ull;
    const word_t *at = (const word_t *)((uintptr_t)text & ~7ull);
    /* What lies before the text is no end of it. */
    uint64_t word = *at | ((1ull << ((uintptr_t)text & 7) * 8) - 1), zeros;

    while ((zeros = (word - ones) & ~word & ones << 7) == 0)
        word = *++at;
    return (size_t)((const char *)at - text) + (size_t)__builtin_ctzll(zeros) / 8;
}

/* The session's root is "/" too: the service is asked for what is below it. An absolute path begins at the root of all
 * that is mounted. */
static inline struct file_path_at file_path_begin(struct file_session *session,
                                                  const struct file *directory, const char *text)
{
    struct file_path_at path = {session, directory == NULL ? 0 : directory->handle, text,
                                file_text_bytes(text), session->runs};

    if (text[0] != '/')
        return path;
    path.directory = 0;
    if (session->mounts != NULL)
        path.session = &session->mounts->root;
    while (path.text[0] == '/')
        path.text++;
    path.bytes -= (size_t)(path.text - text);
    return path;
}

static inline bool file_is_at_root(const struct file_path_at *path)
{
    return path->session->mounts != NULL && path->session == &path->session->mounts->root &&
           path->directory == 0;
}

/* By a copy, so that the path itself can stay in registers. */
static inline void file_go_to_known(struct file_path_at *path)
{
    struct file_path_at there;

    if (!file_is_at_root(path))
        return;
    there = *path;
    file_walk_known(&there);
    *path = there;
}
