// SPDX-License-Identifier: MIT
/* editor_internal.h - what editor.c and complete.c share. */
#pragma once

#include "programs/monitor/editor.h"

void editor_put(struct editor *editor, const char *text);
void editor_insert(struct editor *editor, char byte);

/* The Tab key. */
void editor_complete(struct editor *editor);
