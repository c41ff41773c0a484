// SPDX-License-Identifier: MIT
/* console - see console.h. */
#include "programs/monitor/console.h"

#include <stdarg.h>

#include "lib/libmnos/bootstrap.h"
#include "lib/libmnos/format.h"
#include "lib/libmnos/ipc.h"
#include "lib/libmnos/log.h"
#include "lib/libmnos/status.h"
#include "lib/libmnos/string.h"
#include "lib/libmnos/syscall.h"
#include "lib/libmnos/time.h"
#include "protocols/serial.h"

#define BUSY_WAIT_NS 10000000ull
#define PRINT_BYTES 512

static char output[MNOS_MESSAGE_MAX_BYTES];
static size_t output_length;
static char input[64];
static size_t input_length, input_at;

/* Without its line the monitor can do nothing; init starts it again, later and later. */
static _Noreturn void give_up(mnos_status_t status, const char *what)
{
    log_error(status, what);
    for (;;)
        (void)!sys_proc_destroy(MNOS_SELF, (uint64_t)status);
}

void console_flush(void)
{
    struct message msg = {0};
    mnos_status_t status;

    while (output_length != 0) {
        message_put(&msg, SERIAL_WRITE, output, output_length);
        status = ipc_request(bootstrap_cap("serial"), &msg);
        if (status == MNOS_OK)
            output_length = 0;
        else if (status == MNOS_ERR_AGAIN)
            sleep_until(deadline_after_ns(BUSY_WAIT_NS));
        else if (status != MNOS_ERR_PEER) /* the driver died: wait for its successor */
            give_up(status, "write to the serial line");
    }
}

static void put(char byte)
{
    if (output_length == sizeof output)
        console_flush();
    output[output_length++] = byte;
}

void console_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n' && (output_length == 0 || output[output_length - 1] != '\r'))
            put('\r');
        put(bytes[i]);
    }
}

void console_print(const char *format, ...)
{
    char text[PRINT_BYTES];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = (size_t)mnos_vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    console_write(text, length < sizeof text ? length : sizeof text - 1);
}

void console_error(mnos_status_t status, const char *what)
{
    char text[PRINT_BYTES];

    console_print("%s\n", error_explain(text, sizeof text, status, what));
}

int console_read(void)
{
    struct serial_read request = {sizeof input};
    struct message msg = {0};
    mnos_status_t status;

    console_flush();
    if (input_at < input_length)
        return (unsigned char)input[input_at++];
    message_put(&msg, SERIAL_READ, &request, sizeof request);
    status = ipc_request(bootstrap_cap("serial"), &msg);
    if (status == MNOS_ERR_PEER || status == MNOS_ERR_AGAIN) {
        if (status == MNOS_ERR_AGAIN)
            sleep_until(deadline_after_ns(BUSY_WAIT_NS));
        return -1;
    }
    if (status != MNOS_OK)
        give_up(status, "read from the serial line");
    input_length = message_get(&msg, input, sizeof input);
    input_at = 0;
    return input_length != 0 ? (unsigned char)input[input_at++] : -1;
}
