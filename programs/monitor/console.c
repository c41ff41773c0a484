// SPDX-License-Identifier: MIT
/* console - see console.h. */
#include "programs/monitor/console.h"

#include <stdarg.h>

#include "lib/libmnos/bootstrap.h"
#include "lib/printf.h"
#include "lib/libmnos/ipc.h"
#include "lib/libmnos/log.h"
#include "lib/libmnos/serial_client.h"
#include "lib/libmnos/status.h"
#include "lib/string.h"
#include "lib/libmnos/syscall.h"
#include "lib/libmnos/time.h"
#include "protocols/serial.h"

#define BUSY_WAIT_NS 10000000ull
#define PRINT_BYTES 512
#define INTERRUPT_KEY 3 /* Ctrl-C */

static char output[MNOS_MESSAGE_MAX_BYTES];
static size_t output_length;
static char input[1024]; /* what was typed and not yet used: input_at up to input_length */
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
    mnos_status_t status = serial_write(bootstrap_cap("serial"), output, output_length);

    if (status != MNOS_OK)
        give_up(status, "write to the serial line");
    output_length = 0;
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

/* Adds what READ or POLL returns to the input, for which there is room; *count is how much it was. */
static mnos_status_t receive(enum serial_request label, size_t *count)
{
    struct serial_read request;
    struct message msg = {0};
    mnos_status_t status;

    input_length -= input_at;
    memmove(input, input + input_at, input_length);
    input_at = 0;
    request.max_bytes = sizeof input - input_length;
    message_put(&msg, label, &request, sizeof request);
    status = ipc_request(bootstrap_cap("serial"), &msg);
    if (status != MNOS_OK)
        return status;
    *count = message_get(&msg, input + input_length, (size_t)request.max_bytes);
    input_length += *count;
    return MNOS_OK;
}

void console_take_input(void)
{
    size_t count = 1;

    /* An error is nothing to act on here: the next console_read() meets it too. */
    while (count != 0 && input_length - input_at < sizeof input &&
           receive(SERIAL_POLL, &count) == MNOS_OK)
        ;
}

bool console_interrupted(void)
{
    console_take_input();
    for (size_t i = input_length; i > input_at; i--) {
        if (input[i - 1] == INTERRUPT_KEY) {
            input_at = i;
            return true;
        }
    }
    return false;
}

int console_read(void)
{
    mnos_status_t status;
    size_t count;

    console_flush();
    if (input_at < input_length)
        return (unsigned char)input[input_at++];
    status = receive(SERIAL_READ, &count);
    if (status == MNOS_ERR_PEER || status == MNOS_ERR_AGAIN) {
        if (status == MNOS_ERR_AGAIN)
            sleep_until(deadline_after_ns(BUSY_WAIT_NS));
        return -1;
    }
    if (status != MNOS_OK)
        give_up(status, "read from the serial line");
    return count != 0 ? (unsigned char)input[input_at++] : -1;
}
