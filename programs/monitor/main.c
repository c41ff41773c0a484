// SPDX-License-Identifier: MIT
/*
 * main - the monitor: a shell on the serial line that shows and controls the running system.
 *
 * Lines come from editor.c, commands are in command.c's table. See README.md.
 */
#include "lib/libmnos/bootstrap.h"
#include "lib/libmnos/log.h"
#include "lib/libmnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/editor.h"

static struct editor editor;

/* The benchmarks read this line: how many cycles it took from power-on to the printed prompt. */
static void mark_prompt(void)
{
    if (bootstrap_has_argument("bench"))
        log_line("bench-mark prompt %llu", (unsigned long long)tsc_read());
}

static void handle_byte(int byte)
{
    if (byte < 0) {
        /* A new driver serves the line: show again what the old one may have lost. */
        console_print("\n");
        editor_redraw(&editor);
        return;
    }
    switch (editor_feed(&editor, (char)byte)) {
    case EDITOR_NONE: return;
    case EDITOR_LINE: command_run(editor.line); break;
    case EDITOR_CANCELLED: break;
    }
    editor_begin(&editor);
}

int main(void)
{
    if (bootstrap_cap("serial") == 0) {
        log_line("no capability \"serial\": nothing to talk on");
        return 1;
    }
    /* Assigned here, so that the large structure is not part of the program's file. */
    editor.prompt = "mnos> ";
    editor.write = console_write;
    editor.candidate = command_candidate;
    console_print("\n");
    editor_begin(&editor);
    console_flush();
    mark_prompt();
    for (;;)
        handle_byte(console_read());
}
