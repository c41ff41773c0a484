// SPDX-License-Identifier: MIT
/* file_path - requests that name files by paths: see file.h. */
#include "lib/base/word.h"
#include "lib/client/file_walk.h"

/* What of a path lies in registers, behind the record. */
#define QUICK_PATH_BYTES 16u

static inline __attribute__((always_inline)) mnos_status_t walk_quick(struct file_answer *answer,
                                                                      const struct file_asked *what,
                                                                      struct file_path_at *path)
{
    struct file_session *session = path->session;
    uint32_t bytes = (uint32_t)(sizeof(struct file_open) + path->bytes), lane = FILE_NO_LANE;
    uint64_t record = what->flags & FILE_NO_FOLLOW, text[2], rax;
    struct ipc_registers regs;

    if (what->once)
        lane = file_take_lane(session);
    path->run =
        session->runs; /* behind it: while this waits for a lane the session may begin anew */
    if (what->operation == FILE_OPEN)
        record = (what->flags & ~(uint32_t)FILE_BENEATH) | (uint64_t)what->rights << 32;
    text_words(path->text, path->bytes, text);
    regs =
        (struct ipc_registers){.rdx = path->directory, .r10 = record, .r8 = text[0], .r9 = text[1]};
    if (!file_quick_call(session, file_label(session, what->operation, lane), bytes, &regs, &rax)) {
        /* Copies, so that what they are of can stay in registers. */
        struct ipc_registers ended = regs;
        struct file_asked asked = *what;
        struct file_path_at at = *path;
        struct message request = {.words = {at.directory, record, text[0], text[1]},
                                  .info =
                                      MNOS_INFO(file_label(session, what->operation, lane), bytes)};
        struct file_answer found = {0};
        mnos_status_t status = file_walk_on(&found, &asked, &at, &request, lane, &ended, rax);

        *path = at;
        *answer = found;
        return status;
    }
    file_give_lane(session, lane);
    *answer =
        (struct file_answer){{regs.rdx, regs.r10, regs.r8, regs.r9}, file_quick_length(&regs)};
    return MNOS_OK;
}

/* A request with one path, which mostly is short and answered at once. */
static inline __attribute__((always_inline)) mnos_status_t walk_one(struct file_answer *answer,
                                                                    const struct file_asked *what,
                                                                    struct file_path_at *path)
{
    struct file_asked asked;
    struct file_answer found;
    struct file_path_at at;
    mnos_status_t status;

    file_go_to_known(path);
    if (__builtin_expect(path->bytes <= QUICK_PATH_BYTES, 1))
        return walk_quick(answer, what, path);
    asked = *what;
    at = *path;
    found = (struct file_answer){0};
    status = file_walk_long(&found, &asked, &at);
    *path = at;
    *answer = found;
    return status;
}

mnos_status_t file_open(struct file_session *session, const struct file *directory,
                        const char *text, uint32_t flags, uint32_t rights, struct file *file)
{
    struct file_asked what = {FILE_OPEN, flags, rights, true, 1};
    struct file_opened opened;
    struct file_answer answer;
    struct file_path_at path;
    mnos_status_t status;

    if (directory != NULL && directory->run != directory->session->runs)
        return MNOS_ERR_LOST;
    path = file_path_begin(directory != NULL ? directory->session : session, directory, text);
    status = walk_one(&answer, &what, &path);
    if (status != MNOS_OK)
        return status;
    file_take_answer(&answer, &opened, sizeof opened);
    *file = (struct file){.session = path.session,
                          .handle = opened.handle,
                          .size = opened.size,
                          .type = opened.type,
                          .rights = opened.rights,
                          .run = path.run};
    return MNOS_OK;
}

mnos_status_t file_stat(struct file_session *session, const char *text, uint32_t flags,
                        struct file_attr *attr)
{
    struct file_asked what = {FILE_STAT, flags, 0, false, 1};
    struct file_path_at path = file_path_begin(session, NULL, text);
    struct file_answer answer;
    mnos_status_t status = walk_one(&answer, &what, &path);

    if (status == MNOS_OK)
        file_take_answer(&answer, attr, sizeof *attr);
    return status;
}

mnos_status_t file_read_link(struct file_session *session, const char *link, char *text,
                             uint64_t size, uint64_t *bytes)
{
    struct file_asked what = {FILE_READLINK, 0, 0, false, 1};
    struct file_path_at path = file_path_begin(session, NULL, link);
    struct file_answer answer;
    mnos_status_t status = walk_one(&answer, &what, &path);

    if (status != MNOS_OK)
        return status;
    file_take_answer(&answer, text, size);
    *bytes = answer.length;
    return MNOS_OK;
}

static mnos_status_t one(struct file_session *session, uint32_t operation, const char *text)
{
    struct file_asked what = {operation, 0, 0, true, 1};
    struct file_path_at path = file_path_begin(session, NULL, text);
    struct file_answer answer;

    return walk_one(&answer, &what, &path);
}

mnos_status_t file_make_directory(struct file_session *session, const char *path)
{
    return one(session, FILE_MKDIR, path);
}

mnos_status_t file_remove_directory(struct file_session *session, const char *path)
{
    return one(session, FILE_RMDIR, path);
}

mnos_status_t file_unlink(struct file_session *session, const char *path)
{
    return one(session, FILE_UNLINK, path);
}

static mnos_status_t two(struct file_session *session, uint32_t operation, const char *path,
                         const char *new_path)
{
    struct file_asked what = {operation, 0, 0, true, 2};
    struct file_path_at paths[2] = {file_path_begin(session, NULL, path),
                                    file_path_begin(session, NULL, new_path)};

    return file_walk_two(&what, paths);
}

mnos_status_t file_link(struct file_session *session, const char *path, const char *new_path)
{
    return two(session, FILE_LINK, path, new_path);
}

mnos_status_t file_rename(struct file_session *session, const char *path, const char *new_path)
{
    return two(session, FILE_RENAME, path, new_path);
}

mnos_status_t file_symlink(struct file_session *session, const char *text, const char *path)
{
    struct file_asked what = {FILE_SYMLINK, 0, 0, true, 0};
    struct file_path_at paths[2] = {{session, 0, text, strlen(text), 0},
                                    file_path_begin(session, NULL, path)};

    return file_walk_two(&what, paths);
}
