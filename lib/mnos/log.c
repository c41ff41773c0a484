// SPDX-License-Identifier: MIT
/* log - see log.h. */
#include "lib/mnos/log.h"

#include <stdarg.h>

#include "lib/mnos/bootstrap.h"
#include "lib/base/printf.h"
#include "lib/mnos/status.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

__attribute__((format(printf, 2, 0))) static void write_line(enum mnos_log_level level,
                                                             const char *format, va_list arguments)
{
    mnos_cap_t log = bootstrap_find("log");
    uint64_t last_error = ipc_buffer()->reserved[2];
    char line[LOG_LINE_BYTES];
    size_t length;

    if (log == 0)
        return;
    length = (size_t)mnos_snprintf(line, sizeof line, "%s: ", bootstrap_program());
    length += (size_t)mnos_vsnprintf(line + length, sizeof line - length, format, arguments);
    if (length > sizeof line - 1)
        length = sizeof line - 1;
    memcpy(ipc_buffer()->data, line, length);
    /* A log that cannot be written has nowhere to say so, and must not hide an earlier error. */
    (void)!sys_debug_write(log, length, level);
    ipc_buffer()->reserved[2] = last_error;
}

void log_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(MNOS_LOG_INFO, format, arguments);
    va_end(arguments);
}

void log_at(enum mnos_log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(level, format, arguments);
    va_end(arguments);
}

void log_error(mnos_status_t status, const char *what)
{
    char text[LOG_LINE_BYTES];

    log_at(MNOS_LOG_ERROR, "%s", error_explain(text, sizeof text, status, what));
}

int log_failure(mnos_status_t status, const char *what, int code)
{
    log_error(status, what);
    return code;
}
