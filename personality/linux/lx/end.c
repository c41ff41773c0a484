// SPDX-License-Identifier: MIT
/* end - how the process ends, and what lx says on the terminal: see lx.h. */
#include <stdarg.h>

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/utf8.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/lx.h"
#include "personality/linux/lx/terminal.h"

_Noreturn void lx_exit(uint64_t code)
{
    for (;;)
        (void)!sys_proc_destroy(MNOS_SELF, code);
}

void lx_say(const char *format, ...)
{
    char text[400];
    size_t length = (size_t)mnos_snprintf(text, sizeof text, "%s: ", bootstrap_program());
    va_list arguments;

    va_start(arguments, format);
    mnos_vsnprintf(text + length, sizeof text - length - 2, format, arguments);
    va_end(arguments);
    (void)utf8_clean(text); /* what it says of paths commands no terminal */
    length = strlen(text);
    memcpy(text + length, "\r\n", 2);
    terminal_say(text, length + 2);
}

const char *lx_signal_name(uint32_t signal)
{
    static const char *const names[] = {
        "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

    return signal < sizeof names / sizeof names[0] ? names[signal] : "a real-time signal";
}

/* What a program does to itself is told; what others send it, they know. */
_Noreturn void lx_killed(uint32_t signal, const struct lx_frame *frame, uint64_t address)
{
    if (frame != NULL)
        lx_say("ended by %s at %lx, address %lx", lx_signal_name(signal), frame->rip, address);
    lx_exit(signal);
}
