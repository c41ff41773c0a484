// SPDX-License-Identifier: MIT
/* missing - see missing.h. */
#include "programs/monitor/missing.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/net_limits.h"
#include "programs/monitor/path.h"
#include "protocols/file.h"

/* asm-generic/errno-base.h of Linux. */
enum { LINUX_EPERM = 1, LINUX_ENOENT = 2, LINUX_EACCES = 13, LINUX_EROFS = 30 };

const char *missing_error_text(int32_t error)
{
    switch (error) {
    case LINUX_EPERM: return "Operation not permitted";
    case LINUX_ENOENT: return "No such file or directory";
    case LINUX_EACCES: return "Permission denied";
    case LINUX_EROFS: return "Read-only file system";
    default: return "an error";
    }
}

/* ---- Paths ---- */

/* The grant that the program reaches by a path. */
static const struct missing_place *covering(const struct missing_world *world, const char *path)
{
    const struct missing_place *found = NULL;

    for (unsigned i = 0; i < world->count; i++) {
        const struct missing_place *at = &world->places[i];

        if (path_rest(path, at->inner) != NULL &&
            (found == NULL || strlen(at->inner) > strlen(found->inner)))
            found = at;
    }
    return found;
}

static void cut_last(char *path)
{
    char *end = path + strlen(path);

    while (end > path + 1 && *end != '/')
        end--;
    if (end == path + 1 && path[0] == '/' && *end != '/')
        end = path + 1;
    *end = 0;
}

/* Nothing in it that a line would take for something else. */
static bool can_be_typed(const char *text)
{
    for (; *text != 0; text++) {
        if (*text <= ' ' || *text > '~' || strchr(":?\"'\\&", *text) != NULL)
            return false;
    }
    return true;
}

/* An absolute path as lx says it. `run` makes a path plain before it uses it, so another would not be the one that is read. */
static bool is_plain(const char *path)
{
    char plain[LXHOST_DENIED_TEXT];

    if (path[0] != '/')
        return false;
    string_copy(plain, path, sizeof plain);
    path_make_plain(plain);
    return strcmp(plain, path) == 0;
}

/* Where what the program means is for who reads. False: nowhere. */
static bool locate(const struct missing_place *place, const struct lxhost_denied *denied,
                   char out[MISSING_PATH_BYTES])
{
    const char *rest;

    /* Where only the root covers the path, the program may mean what has that path here. */
    if (denied->error == LINUX_ENOENT || place == NULL)
        return string_copy(out, denied->text, MISSING_PATH_BYTES) < MISSING_PATH_BYTES;
    rest = path_rest(denied->text, place->inner);
    if (strcmp(place->outer, "/") == 0 && rest[0] != 0)
        return string_copy(out, rest, MISSING_PATH_BYTES) < MISSING_PATH_BYTES;
    return (size_t)mnos_snprintf(out, MISSING_PATH_BYTES, "%s%s", place->outer, rest) <
           MISSING_PATH_BYTES;
}

static bool find_path(const struct missing_world *world, const struct lxhost_denied *denied,
                      struct missing_option *option)
{
    const struct missing_place *place = covering(world, denied->text);
    uint32_t makes = denied->rights & FILE_CREATE_RIGHT;
    bool is_there;

    if (!is_plain(denied->text) || !locate(place, denied, option->what))
        return false;
    string_copy(option->at, denied->text, sizeof option->at);
    option->rights = denied->rights;
    is_there = world->exists(option->what);
    if (makes != 0 && is_there && (denied->rights & FILE_WRITE_RIGHT) != 0) {
        option->rights &= ~(uint32_t)FILE_CREATE_RIGHT; /* it is opened, and not made */
    } else if (makes != 0) {
        cut_last(option->what);
        cut_last(option->at);
        is_there = world->exists(option->what);
    }
    /* What it could read it is to read on. */
    if (place != NULL && denied->error != LINUX_ENOENT)
        option->rights |=
            strcmp(place->inner, option->at) == 0 ? place->rights : place->rights & FILE_READ_RIGHT;
    return is_there && can_be_typed(option->what) && can_be_typed(option->at);
}

/* ---- The network ---- */

static const char *option_of(uint32_t kind)
{
    return kind == LXHOST_DENIED_CONNECT  ? "connect"
           : kind == LXHOST_DENIED_LISTEN ? "listen"
                                          : "resolve";
}

/* ADDRESS:PORT, with /udp behind it maybe: what `run` takes for a network, or several ports, nobody was refused. */
static bool is_one_address(const char *text)
{
    bool behind = false;

    for (; *text != 0; text++) {
        behind = behind || *text == ':';
        if (strchr(behind ? "0123456789:/udp" : "0123456789.", *text) == NULL)
            return false;
    }
    return behind;
}

/* Whether the option says this and nothing else, or more than it. */
static bool says(const struct lxhost_denied *denied)
{
    static struct net_limits limits;
    char words[sizeof denied->text + 16];
    const char *wrong;

    if (denied->kind == LXHOST_DENIED_RESOLVE ? strcmp(denied->text, "*") == 0
                                              : !is_one_address(denied->text))
        return false;
    mnos_snprintf(words, sizeof words, "%s=%s", option_of(denied->kind), denied->text);
    return strchr(words, ',') == NULL && net_limits_read(&limits, words, &wrong);
}

/* ---- What would give it ---- */

bool missing_find(const struct missing_world *world, const struct lxhost_denied *denied,
                  struct missing_option *option)
{
    *option = (struct missing_option){.kind = denied->kind};
    if (denied->cut != 0)
        return false;
    switch (denied->kind) {
    case LXHOST_DENIED_PATH: return find_path(world, denied, option);
    case LXHOST_DENIED_CONNECT:
    case LXHOST_DENIED_LISTEN:
    case LXHOST_DENIED_RESOLVE:
        string_copy(option->what, denied->text, sizeof option->what);
        return says(denied);
    default: return false;
    }
}

/* ---- Several ---- */

/* Whether whoever has the one has all that the other would give. */
static bool gives(const struct missing_option *one, const struct missing_option *other)
{
    const char *outer, *inner;

    if (one->kind != other->kind)
        return false;
    if (one->kind != LXHOST_DENIED_PATH)
        return strcmp(one->what, other->what) == 0;
    outer = path_rest(other->what, one->what);
    inner = path_rest(other->at, one->at);
    return outer != NULL && inner != NULL && strcmp(outer, inner) == 0 &&
           (other->rights & ~one->rights) == 0;
}

static bool is_same_place(const struct missing_option *one, const struct missing_option *other)
{
    return one->kind == LXHOST_DENIED_PATH && other->kind == LXHOST_DENIED_PATH &&
           strcmp(one->what, other->what) == 0 && strcmp(one->at, other->at) == 0;
}

bool missing_add(struct missing_list *list, const struct missing_option *option)
{
    struct missing_option joined = *option;
    unsigned kept = 0;

    for (unsigned i = 0; i < list->count; i++) {
        if (is_same_place(&list->options[i], &joined))
            joined.rights |= list->options[i].rights;
        if (gives(&list->options[i], &joined))
            return true;
    }
    for (unsigned i = 0; i < list->count; i++) {
        if (!gives(&joined, &list->options[i]))
            list->options[kept++] = list->options[i];
    }
    list->count = kept;
    if (kept == MISSING_OPTIONS)
        return false;
    list->options[list->count++] = joined;
    return true;
}

const char *missing_text(const struct missing_option *option, char text[MISSING_TEXT_BYTES])
{
    bool read = (option->rights & FILE_READ_RIGHT) != 0;
    bool same = strcmp(option->what, option->at) == 0;

    if (option->kind == LXHOST_DENIED_PATH)
        mnos_snprintf(text, MISSING_TEXT_BYTES, "--grant %s:%s%s%s%s%s", option->what,
                      read ? "r" : "", (option->rights & FILE_WRITE_RIGHT) != 0 ? "w" : "",
                      (option->rights & FILE_CREATE_RIGHT) != 0 ? "c" : "", same ? "" : ":",
                      same ? "" : option->at);
    else
        mnos_snprintf(text, MISSING_TEXT_BYTES, "--%s %s", option_of(option->kind), option->what);
    return text;
}
