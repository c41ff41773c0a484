// SPDX-License-Identifier: MIT
/* mounts - see mounts.h. */
#include "personality/linux/lx/mounts.h"

#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "personality/linux/lx/fork.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/status.h"

static struct mount mounts[MOUNTS_MAX];
static uint32_t mount_count;

char mounts_directory[LX_PATH_BYTES] = "/";

bool mount_add(const char *name, const char *path)
{
    struct mount *mount = &mounts[mount_count];
    mnos_cap_t session = bootstrap_lookup(bootstrap_listed(name));

    if (mount_count == MOUNTS_MAX || path[0] != '/' ||
        string_copy(mount->path, path, sizeof mount->path) >= sizeof mount->path)
        return false;
    if (file_session_open(&mount->session, session, 0) != MNOS_OK)
        return false;
    string_copy(mount->name, name, sizeof mount->name);
    mount_count++;
    return true;
}

static struct file_session program;
static bool has_program;

struct file_session *mounts_program(void)
{
    mnos_cap_t session = bootstrap_lookup(BOOTSTRAP_OPTIONAL("program"));

    if (!has_program && session != 0)
        has_program = file_session_open(&program, session, 0) == MNOS_OK;
    return has_program ? &program : NULL;
}

uint32_t mounts_session_number(const struct file_session *session)
{
    const char *digits = mounts[0].name;
    uint32_t number = 0;

    if (session == &program)
        return LXHOST_MOUNTS_MAX - 1;
    for (uint32_t i = 0; i < mount_count; i++) {
        if (session == &mounts[i].session)
            digits = mounts[i].name;
    }
    for (; *digits != 0; digits++)
        number = *digits >= '0' && *digits <= '9' ? number * 10 + (uint32_t)(*digits - '0') : 0;
    return number % LXHOST_MOUNTS_MAX;
}

bool mounts_forked(const struct lxhost_image *image)
{
    for (uint32_t i = 0; i < mount_count; i++) {
        if (!session_become(&mounts[i].session, mounts[i].name, image))
            return false;
    }
    return !has_program || session_become(&program, "program", image);
}

uint32_t mount_number(const struct mount *mount)
{
    return (uint32_t)(mount - mounts) + 1;
}

bool mount_is_writable(const struct mount *mount)
{
    return (mount->session.rights & (FILE_WRITE_RIGHT | FILE_CREATE_RIGHT)) != 0;
}

/* The mount that covers a path most closely. */
static struct mount *covering(const char *path, const char **below)
{
    struct mount *found = NULL;
    size_t bytes = 0;

    for (uint32_t i = 0; i < mount_count; i++) {
        const char *inside = path_below(path, mounts[i].path);

        if (inside != NULL && strlen(mounts[i].path) > bytes) {
            found = &mounts[i];
            bytes = strlen(mounts[i].path);
            *below = inside;
        }
    }
    return found;
}

static bool has_window(const struct file_session *session, uint64_t address)
{
    return session->window != NULL && address - (uint64_t)session->window < session->window_bytes;
}

bool mounts_have_window(uint64_t address)
{
    for (uint32_t i = 0; i < mount_count; i++) {
        if (has_window(&mounts[i].session, address))
            return true;
    }
    return has_program && has_window(&program, address);
}

bool mounts_cover(const char *path)
{
    const char *below;
    const struct mount *mount = covering(path, &below);

    return mount != NULL && mount->path[1] != 0;
}

/* Whether a mount is at or below that path. */
static bool leads_to_mount(const char *path)
{
    for (uint32_t i = 0; i < mount_count; i++) {
        if (path_below(mounts[i].path, path) != NULL)
            return true;
    }
    return false;
}

static void settle(struct place *place)
{
    static const char *const none[] = {NULL};
    static const struct made_up on_the_way = {.methods = &directory_methods, .names = none};

    place->made_up = made_up_find(place->path);
    place->mount = place->made_up != NULL ? NULL : covering(place->path, &place->below);
    if (place->made_up == NULL && place->mount == NULL && leads_to_mount(place->path))
        place->made_up = &on_the_way;
}

/* ---- What is there, for path_walk() ---- */

static int64_t look_in_mount(struct mount *mount, const char *below, char *text, size_t size)
{
    struct file_attr attr;
    uint64_t bytes;
    mnos_status_t status;

    if (below[0] == 0)
        return PATH_DIRECTORY;
    status = file_stat(&mount->session, below, FILE_NO_FOLLOW | FILE_BENEATH, &attr);
    if (status == MNOS_ERR_NOT_FOUND)
        return PATH_NOTHING;
    if (status != MNOS_OK)
        return status_to_errno(status);
    if (attr.type != FILE_TYPE_SYMLINK)
        return attr.type == FILE_TYPE_DIRECTORY ? PATH_DIRECTORY : PATH_OTHER;
    status = file_read_link(&mount->session, below, text, size - 1, &bytes);
    if (status != MNOS_OK)
        return status_to_errno(status);
    if (bytes >= size)
        return -LX_ENAMETOOLONG;
    text[bytes] = 0;
    return PATH_LINK;
}

static int64_t look(const char *path, char *text, size_t size)
{
    struct made_up const *made_up = made_up_find(path);
    struct mount *mount;
    const char *below;

    if (made_up_pipe(path) != NULL)
        return PATH_OTHER;
    if (made_up != NULL && made_up->link != NULL) {
        string_copy(text, made_up->link(path), size);
        return PATH_LINK;
    }
    if (made_up != NULL)
        return made_up->names != NULL ? PATH_DIRECTORY : PATH_OTHER;
    if (leads_to_mount(path))
        return PATH_DIRECTORY;
    mount = covering(path, &below);
    return mount == NULL ? PATH_NOTHING : look_in_mount(mount, below, text, size);
}

static const struct path_world world = {look};

/* ---- Places ---- */

static int64_t base_of(int32_t directory, const char *path, const char **base)
{
    const struct open_file *file;

    *base = mounts_directory;
    if (path[0] == '/' || directory == PLACE_AT_WORKING_DIRECTORY)
        return 0;
    file = descriptor_file(directory);
    if (file == NULL)
        return -LX_EBADF;
    if (file->methods != &directory_methods)
        return -LX_ENOTDIR;
    *base = file->path;
    return 0;
}

int64_t place_follow(struct place *place, bool follow_last)
{
    static char walked[LX_PATH_BYTES] LX_SCRATCH;
    int64_t result =
        path_walk(&world, place->path, follow_last || place->directory, walked, sizeof walked);

    if (result != 0)
        return result;
    string_copy(place->path, walked, sizeof place->path);
    settle(place);
    return 0;
}

/* The path as it is written, seen from the directory. */
static int64_t join(int32_t directory, const char *path, struct place *place)
{
    const char *base;
    int64_t result = base_of(directory, path, &base);

    return result != 0 ? result
                       : path_join(base, path, place->path, sizeof place->path, &place->directory);
}

int64_t place_guess_text(int32_t directory, const char *path, bool follow_last, struct place *place)
{
    int64_t result = join(directory, path, place);

    if (result != 0)
        return result;
    if (path_has_parent(place->path))
        return place_follow(place, follow_last);
    settle(place);
    return 0;
}

int64_t place_guess(int32_t directory, uint64_t path, bool follow_last, struct place *place)
{
    static char text[LX_PATH_BYTES] LX_SCRATCH;
    int64_t length = user_path(text, path);

    return length < 0 ? length : place_guess_text(directory, text, follow_last, place);
}

int64_t place_find_text(int32_t directory, const char *path, bool follow_last, struct place *place)
{
    int64_t result = join(directory, path, place);

    return result != 0 ? result : place_follow(place, follow_last);
}

int64_t place_find(int32_t directory, uint64_t path, bool follow_last, struct place *place)
{
    static char text[LX_PATH_BYTES] LX_SCRATCH;
    int64_t length = user_path(text, path);

    return length < 0 ? length : place_find_text(directory, text, follow_last, place);
}
