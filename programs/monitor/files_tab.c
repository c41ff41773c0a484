// SPDX-License-Identifier: MIT
/* files_tab - paths for the Tab key. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/utf8.h"
#include "programs/monitor/files.h"

/* The names of the directory that was listed last, to go on in. */
static struct {
    bool open;
    unsigned next; /* index of the name that file_next_name() gives */
    struct file directory;
    struct file_listing listing;
} names;

static bool begin_names(struct file_session *session, const char *word, size_t bytes)
{
    static char typed[FILES_PATH_BYTES], path[FILES_PATH_BYTES];

    if (names.open)
        (void)!file_close(&names.directory);
    names.open = false;
    if (bytes >= sizeof typed)
        return false;
    memcpy(typed, word, bytes);
    typed[bytes] = 0;
    names.next = 0;
    names.listing = (struct file_listing){0};
    names.open = files_path("", typed, path) && file_open(session, NULL, path, FILE_ONLY_DIRECTORY,
                                                          FILE_LOOKUP, &names.directory) == MNOS_OK;
    return names.open;
}

bool files_candidate(const char *word, size_t bytes, unsigned index, char *candidate, size_t size)
{
    struct file_session *session = files_session("");
    size_t directory = bytes;

    while (directory > 0 && word[directory - 1] != '/')
        directory--;
    if (session == NULL)
        return false;
    if ((index == 0 || !names.open || index < names.next) && !begin_names(session, word, directory))
        return false;
    do {
        if (file_next_name(&names.directory, &names.listing) != MNOS_OK) {
            (void)!file_close(&names.directory);
            names.open = false;
            return false;
        }
    } while (names.next++ < index);
    /* One that does not fit is no candidate, and ends nothing. */
    if (directory + strlen(names.listing.name) + 2 > size) {
        candidate[0] = 0;
        return true;
    }
    memcpy(candidate, word, directory);
    mnos_snprintf(candidate + directory, size - directory, "%s%s", names.listing.name,
                  names.listing.type == FILE_TYPE_DIRECTORY ? "/" : "");
    /* Nor is one that cannot be typed, and would command the terminal. */
    if (!utf8_clean(candidate))
        candidate[0] = 0;
    return true;
}
