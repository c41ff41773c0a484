// SPDX-License-Identifier: MIT
/* main - factorial: has QEMU's device for teaching compute a number, and copy a text. */
#include "../edu/edu.h"
#include "lib/client/out.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

enum { EXIT_DEVICE = 1 };

int main(void)
{
    static const char text[] = "there and back by DMA";
    mnos_cap_t edu = bootstrap_cap("edu");
    struct edu_number number = {10};
    char back[sizeof text];
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, EDU_FACTORIAL, &number, sizeof number);
    status = service_call_parking(edu, &msg);
    if (status == MNOS_OK && message_get(&msg, &number, sizeof number) != sizeof number)
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK) {
        out_print("10! is %lu\n", number.value);
        msg = (struct message){0};
        message_put(&msg, EDU_ECHO, text, sizeof text);
        status = service_call_parking(edu, &msg);
    }
    if (status == MNOS_OK && message_get(&msg, back, sizeof back) != sizeof back)
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK) {
        back[sizeof back - 1] = 0;
        out_name(back);
        out_print("\n");
    }
    out_flush();
    return status == MNOS_OK ? 0 : log_failure(status, "use the device", EXIT_DEVICE);
}
