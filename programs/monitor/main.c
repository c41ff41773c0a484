// SPDX-License-Identifier: MIT
/*
 * main - the monitor: a shell on a terminal that shows and controls the running system.
 *
 * Lines come from editor.c, commands are in command.c's table. See README.md.
 */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/editor.h"
#include "programs/monitor/launch.h"
#include "programs/monitor/services.h"

static struct editor editor;

/* The benchmarks read this line: how many cycles it took from power-on to the printed prompt. */
static void mark_prompt(void)
{
    if (bootstrap_has_argument("bench"))
        log_line("bench-mark prompt %llu", (unsigned long long)tsc_read());
}

/* A command line that is complete; it was run, unless there is a reason not to. */
static void handle_line(enum editor_event event)
{
    if (event == EDITOR_LINE)
        command_run(editor.line.text);
    else if (event == EDITOR_REFUSED)
        console_print("This line was not run: %s.\n", editor.refusal);
    editor_begin(&editor);
}

/* Between two keys: the line of the prompt makes room for the text, and is shown again below it. */
static void interrupt_line(void)
{
    console_print("\r\x1b[K");
}

static void handle_event(int event)
{
    switch (event) {
    case CONSOLE_LOST:
        if (editor.damaged)
            return; /* said already */
        interrupt_line();
        console_print("The terminal has lost input. What it is part of is not run, up to the next "
                      "Enter.\n");
        editor_lost(&editor);
        break;
    case CONSOLE_SERVICES:
        if (!services_have_news())
            return;
        interrupt_line();
        services_print_news();
        break;
    case CONSOLE_PROGRAMS:
        if (!launch_have_ended())
            return;
        interrupt_line();
        launch_print_ended();
        break;
    case CONSOLE_SIZE: editor_set_columns(&editor, console_columns()); return;
    case CONSOLE_RESTARTED: console_ask_size(); break; /* show again what it may have garbled */
    default: return;
    }
    editor_redraw(&editor);
}

int main(void)
{
    if (bootstrap_cap("terminal") == 0) {
        log_at(MNOS_LOG_ERROR, "no capability \"terminal\": nothing to talk on");
        return 1;
    }
    /* Assigned here, so that the large structure is not part of the program's file. */
    editor.prompt = "mnos> ";
    editor.write = console_write;
    editor.ask_columns = console_ask_size;
    editor.candidate = command_candidate;
    console_open();
    console_print("\n");
    console_ask_size();
    editor_begin(&editor);
    console_flush();
    mark_prompt();
    /* For who sits before a screen. */
    log_line("the prompt is on the terminal of the service \"%s\"", console_service());
    for (;;) {
        int byte = console_read();
        enum editor_event event;

        if (byte < 0) {
            handle_event(byte);
            continue;
        }
        event = editor_feed(&editor, (char)byte);
        if (event != EDITOR_NONE)
            handle_line(event);
    }
}
