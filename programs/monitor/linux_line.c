// SPDX-License-Identifier: MIT
/* linux_line - see linux_line.h. */
#include "programs/monitor/linux_line.h"

#include <stdarg.h>

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/console.h"
#include "programs/monitor/path.h"
#include "programs/monitor/rights.h"

#define FRAMES 16384u        /* 64 MiB, unless something else is said */
#define SOCKETS "sockets=16" /* at once: each is 72 KiB of the network service's memory */

void linux_line_begin(struct linux_line *line)
{
    line->bytes = line->grant_count = 0;
    line->full = line->has_root = line->learns = false;
    line->net[0] = 0;
    line->frames = FRAMES;
    line->terminal = 0;
}

/* ---- Words for lx ---- */

void linux_line_word(struct linux_line *line, const char *format, ...)
{
    size_t room = sizeof line->words - line->bytes;
    va_list values;
    int length;

    va_start(values, format);
    length = mnos_vsnprintf(line->words + line->bytes, room, format, values);
    va_end(values);
    line->full = line->full || (size_t)length >= room;
    line->bytes = line->full ? 0 : line->bytes + (size_t)length + 1;
}

bool linux_line_grant(struct linux_line *line, const char *path, const char *at, uint32_t rights,
                      bool delegate)
{
    struct linux_grant *grant = &line->grants[line->grant_count];

    if (line->grant_count == LINUX_GRANTS_MAX) {
        console_print("run: there can be %u grants\n", LINUX_GRANTS_MAX);
        return false;
    }
    if (!files_path("run", path, grant->path))
        return false;
    path_make_plain(grant->path);
    mnos_snprintf(grant->name, sizeof grant->name, "grant%u", line->grant_count);
    grant->at = at != NULL ? at : grant->path;
    grant->rights = rights;
    grant->delegate = delegate;
    if (grant->at[0] != '/') {
        console_print("run: a program sees a grant at an absolute path, not at %s\n", grant->at);
        return false;
    }
    line->grant_count++;
    linux_line_word(line, "m%s=%s", grant->name, grant->at);
    return true;
}

/* ---- Options ---- */

/* PATH:RIGHTS[:AT] */
static bool take_grant(struct linux_line *line, char *word)
{
    char *at = NULL, *colon = strchr(word, ':'), *second;
    uint32_t rights;
    bool delegate;

    if (colon == NULL) {
        console_print("run: %s: which rights? PATH:RIGHTS[:AT], as /disk/work:rwc\n", word);
        return false;
    }
    *colon++ = 0;
    second = strchr(colon, ':');
    if (second != NULL) {
        *second = 0;
        at = second + 1;
        if (at[0] == '/') /* lx takes it as it stands */
            path_make_plain(at);
    }
    if (!rights_parse(colon, &rights, &delegate)) {
        console_print("run: %s are no rights: r, w, c, g\n", colon);
        return false;
    }
    return linux_line_grant(line, word, at, rights, delegate);
}

static bool take_root(struct linux_line *line, char *word)
{
    size_t length = strlen(word);

    if (length > 2 && strcmp(word + length - 2, ":r") == 0)
        word[length - 2] = 0;
    line->has_root = true;
    return linux_line_grant(line, word, "/", FILE_LOOKUP | FILE_READ_RIGHT, false);
}

static bool take_memory(struct linux_line *line, const char *word)
{
    line->frames = rights_parse_frames(word);
    if (line->frames == 0)
        console_print("run: %s is no size, as 16M\n", word);
    return line->frames != 0;
}

static bool take_terminal(struct linux_line *line, const char *word)
{
    bool known = rights_parse_terminal(word, &line->terminal);

    if (!known)
        console_print("run: %s is no number of a terminal, as 3\n", word);
    return known;
}

static bool take_variable(struct linux_line *line, const char *word)
{
    if (strchr(word, '=') == NULL || word[0] == '=') {
        console_print("run: %s is no variable, as TERM=vt100\n", word);
        return false;
    }
    linux_line_word(line, "e%s", word);
    return true;
}

/* `kind` and an address or a name, in the words of net_limits.h. */
static bool take_net(struct linux_line *line, const char *kind, const char *value)
{
    static char text[LINE_BYTES]; /* the limits point into it */
    size_t bytes = strlen(line->net);
    const char *wrong;

    mnos_snprintf(line->net + bytes, sizeof line->net - bytes, "%s%s=%s",
                  bytes != 0 ? "," : SOCKETS ",", kind, value);
    string_copy(text, line->net, sizeof text);
    if (strchr(value, ',') == NULL && net_limits_read(&line->limits, text, &wrong))
        return true;
    console_print(
        "run: --%s %s says nothing that can be, or is one too many; as --listen 0.0.0.0:80, "
        "--connect 10.0.0.0/8:443 or *:53/udp, --resolve example.org\n",
        kind, value);
    return false;
}

bool linux_is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] != 0;
}

static bool take_flag(struct linux_line *line, const char *option)
{
    if (strcmp(option, "--trace") == 0) {
        linux_line_word(line, "t");
    } else if (strcmp(option, "--learn") == 0) {
        linux_line_word(line, "l");
        line->learns = true;
    } else {
        return false;
    }
    return true;
}

bool linux_line_options(struct linux_line *line, const struct words *words, unsigned *next)
{
    for (*next = 1; *next < words->count && linux_is_option(words->word[*next]); ++*next) {
        const char *option = words->word[*next];
        char *value;
        bool taken;

        if (take_flag(line, option))
            continue;
        if (*next + 1 == words->count) {
            console_print("run: %s: and what?\n", option);
            return false;
        }
        value = words->word[++*next];
        if (strcmp(option, "--root") == 0)
            taken = take_root(line, value);
        else if (strcmp(option, "--grant") == 0)
            taken = take_grant(line, value);
        else if (strcmp(option, "--memory") == 0)
            taken = take_memory(line, value);
        else if (strcmp(option, "--terminal") == 0)
            taken = take_terminal(line, value);
        else if (strcmp(option, "--listen") == 0 || strcmp(option, "--connect") == 0 ||
                 strcmp(option, "--resolve") == 0)
            taken = take_net(line, option + 2, value);
        else if (strcmp(option, "--env") == 0)
            taken = take_variable(line, value);
        else {
            console_print("run: %s is no option; run alone says which there are\n", option);
            return false;
        }
        if (!taken)
            return false;
    }
    if (*next == words->count)
        console_print("run: which program?\n");
    return *next < words->count;
}

/* ---- The program and all words ---- */

bool linux_line_program(struct linux_line *line, const char *path)
{
    const struct linux_grant *found = NULL;
    const char *below = NULL;

    /* The one that covers it most closely, as lx looks for it. */
    for (unsigned i = 0; i < line->grant_count; i++) {
        const struct linux_grant *grant = &line->grants[i];
        const char *rest = path_rest(path, grant->path);

        if (rest != NULL && (found == NULL || strlen(grant->path) > strlen(found->path))) {
            found = grant;
            below = rest;
        }
    }
    if (found != NULL)
        linux_line_word(line, "%s%s", strcmp(found->at, "/") == 0 ? "" : found->at, below);
    else
        linux_line_word(line, "%s", path);
    return found != NULL;
}

const char *linux_line_words(const struct linux_line *line, const char *path, size_t *bytes)
{
    static char all[LAUNCHER_ARGUMENTS_MAX];
    size_t at = 0;

    for (unsigned i = 0; i < line->grant_count && at < sizeof all; i++)
        at += (size_t)mnos_snprintf(all + at, sizeof all - at, "%s=%s", line->grants[i].name,
                                    line->grants[i].path) +
              1;
    if (path != NULL && at < sizeof all)
        at += (size_t)mnos_snprintf(all + at, sizeof all - at, "program=%s", path) + 1;
    if (line->full || at + sizeof "--" + line->bytes > sizeof all)
        return NULL;
    memcpy(all + at, "--", sizeof "--");
    memcpy(all + at + sizeof "--", line->words, line->bytes);
    *bytes = at + sizeof "--" + line->bytes;
    return all;
}
