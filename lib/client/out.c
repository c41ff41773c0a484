// SPDX-License-Identifier: MIT
/* out - see out.h. */
#include "lib/client/out.h"

#include <stdarg.h>

#include "abi/message.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/stream.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/utf8.h"
#include "protocols/file.h"

#define PRINT_BYTES 512

static char output[MNOS_MESSAGE_MAX_BYTES];
static size_t output_bytes;

/* Without its terminal a command has nobody to work for. */
void out_flush(void)
{
    size_t count = output_bytes;

    output_bytes = 0;
    if (count != 0 && stream_write(bootstrap_cap("terminal"), output, count) != MNOS_OK)
        (void)!sys_proc_destroy(MNOS_SELF, OUT_EXIT_TERMINAL);
}

static void put(char byte)
{
    if (output_bytes == sizeof output)
        out_flush();
    output[output_bytes++] = byte;
}

void out_write(const char *bytes, size_t count)
{
    static char last;

    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n' && last != '\r')
            put('\r');
        put(last = bytes[i]);
    }
}

void out_print(const char *format, ...)
{
    char text[PRINT_BYTES];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = (size_t)mnos_vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    out_write(text, length < sizeof text ? length : sizeof text - 1);
}

void out_name(const char *name)
{
    static char clean[FILE_PATH_BYTES_MAX + 1];

    string_copy(clean, name, sizeof clean);
    (void)utf8_clean(clean);
    out_write(clean, strlen(clean));
}

void out_failed(mnos_status_t status, const char *path)
{
    char text[PRINT_BYTES], what[96];

    mnos_snprintf(what, sizeof what, "%s%s%s", bootstrap_argument(0), path[0] != 0 ? " " : "",
                  path);
    (void)utf8_clean(what);
    out_print("%s\n", error_explain(text, sizeof text, status, what));
    if (status == MNOS_ERR_LOST)
        out_print("The file system there was unmounted, or its service was started again and knows "
                  "nothing of what it held before.\n");
}
