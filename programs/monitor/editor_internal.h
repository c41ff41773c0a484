// SPDX-License-Identifier: MIT
/* editor_internal.h - what the files of the editor share. */
#pragma once

#include "programs/monitor/editor.h"

void editor_put(struct editor *editor, const char *text);

/* Inserts text at the cursor and shows it. */
void editor_insert(struct editor *editor, const char *bytes, size_t count);

/* The Tab key. */
void editor_complete(struct editor *editor);

/* Shows `line` behind `prompt`. */
void editor_show(struct editor *editor, const char *prompt, const struct line *line);

/* Whether `columns` more fit behind the end of the line as it is shown. */
bool editor_has_columns(const struct editor *editor, size_t columns);

/* The new line, before an old one is shown in its place. */
void editor_keep_unfinished(struct editor *editor);

/* Ctrl-R. */
void editor_search(struct editor *editor);
void editor_show_search(struct editor *editor);

/* Returns whether the key belongs to the search; if not, the search is over and the key is to be
 * acted upon. */
bool editor_search_key(struct editor *editor, const struct key *key);
