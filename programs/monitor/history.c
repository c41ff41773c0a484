// SPDX-License-Identifier: MIT
/* history - see history.h. Host tests compile this file. */
#include "programs/monitor/history.h"

#include "lib/base/string.h"

void history_add(struct history *history, const char *text)
{
    if (text[0] == 0 || (history->entered != 0 && strcmp(history_line(history, 1), text) == 0))
        return;
    string_copy(history->lines[history->entered++ % HISTORY_LINES], text, LINE_BYTES);
}

unsigned history_count(const struct history *history)
{
    return history->entered < HISTORY_LINES ? history->entered : HISTORY_LINES;
}

const char *history_line(const struct history *history, unsigned back)
{
    return history->lines[(history->entered - back) % HISTORY_LINES];
}

unsigned history_find(const struct history *history, unsigned back, const char *text, size_t *at)
{
    size_t length = strlen(text);

    for (; back <= history_count(history); back++) {
        const char *line = history_line(history, back);

        for (size_t i = 0; line[i] != 0; i++) {
            if (strncmp(line + i, text, length) == 0) {
                *at = i;
                return back;
            }
        }
    }
    return 0;
}
