// SPDX-License-Identifier: MIT
/* log_line - see log_line.h. Host tests compile this file. */
#include "programs/monitor/log_line.h"

#include "lib/base/string.h"

static const char levels[] = "EWID"; /* the gravest first */

char log_level_of(const char *word)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0 || (word[0] == names[i][0] && word[1] == 0))
            return levels[i];
    }
    return 0;
}

/* The part behind "[sssss.uuuuuu] L ", which is left out of *length; *level is its L, or 0: it is no such line. */
static const char *text_of(const char *line, size_t *length, char *level)
{
    size_t at = 0;

    *level = 0;
    while (at < *length && line[at] != ']')
        at++;
    if (at + 4 > *length || line[at + 1] != ' ' || line[at + 3] != ' ')
        return line;
    *level = line[at + 2];
    *length -= at + 4;
    return line + at + 4;
}

static bool begins_with_name(const char *text, size_t length, const char *name)
{
    size_t bytes = strlen(name);

    return length > bytes && memcmp(text, name, bytes) == 0 && text[bytes] == ':';
}

/* NAME at its beginning, or behind the name of who tells of it. */
static bool is_about(const char *text, size_t length, const char *name)
{
    size_t at = 0;

    if (begins_with_name(text, length, name))
        return true;
    while (at < length && text[at] != ':' && text[at] != ' ')
        at++;
    return at + 2 < length && text[at] == ':' && text[at + 1] == ' ' &&
           begins_with_name(text + at + 2, length - at - 2, name);
}

static bool is_grave(char level, char least)
{
    const char *found = level == 0 ? NULL : strchr(levels, level);

    return found != NULL && found <= strchr(levels, least);
}

bool log_line_passes(const struct log_filter *filter, const char *line, size_t length)
{
    char level;
    const char *text = text_of(line, &length, &level);

    return (filter->level == 0 || is_grave(level, filter->level)) &&
           (filter->name == NULL || is_about(text, length, filter->name));
}
