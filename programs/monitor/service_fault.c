// SPDX-License-Identifier: MIT
/* service_fault - which build a service's program is, and its registers when it faulted last, or those of a program that was
 * started: a part of `services NAME`. */
#include "lib/client/manager.h"
#include "lib/mnos/process_end.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/tasks.h"

typedef unsigned long long ull;

static void print_registers(const struct mnos_registers *r)
{
    console_print("rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx\n", (ull)r->rax, (ull)r->rbx,
                  (ull)r->rcx, (ull)r->rdx);
    console_print("rsi %016llx  rdi %016llx  rbp %016llx  rsp %016llx\n", (ull)r->rsi, (ull)r->rdi,
                  (ull)r->rbp, (ull)r->rsp);
    console_print("r8  %016llx  r9  %016llx  r10 %016llx  r11 %016llx\n", (ull)r->r8, (ull)r->r9,
                  (ull)r->r10, (ull)r->r11);
    console_print("r12 %016llx  r13 %016llx  r14 %016llx  r15 %016llx\n", (ull)r->r12, (ull)r->r13,
                  (ull)r->r14, (ull)r->r15);
    console_print("rip %016llx  rflags %08llx\n", (ull)r->rip, (ull)r->rflags);
}

void service_print_fault(uint64_t index)
{
    struct manager_fault fault;
    mnos_status_t status = manager_last_fault(index, &fault);

    if (status == MNOS_ERR_NOT_FOUND)
        return;
    if (status != MNOS_OK) {
        console_error(status, "services");
        return;
    }
    console_print("build %.15s\n", fault.build);
    if (fault.time_ns == 0) {
        console_print("no fault is kept of it\n");
        return;
    }
    console_print("last fault at %llu.%03llu s, in start %llu, thread %llu: %s in %.63s, address "
                  "0x%llx, error 0x%llx\n",
                  (ull)fault.time_ns / 1000000000, (ull)fault.time_ns / 1000000 % 1000,
                  (ull)fault.start, (ull)fault.what.thread_id,
                  process_fault_text((uint32_t)fault.what.vector), fault.place,
                  (ull)fault.what.address, (ull)fault.what.error);
    print_registers(&fault.what.registers);
}

void program_print_registers(uint64_t index)
{
    struct launcher_fault fault;

    if (task_last_fault(index, &fault) != MNOS_OK)
        return;
    console_print("fault at %llu.%03llu s, thread %llu: %s, address 0x%llx, error 0x%llx\n",
                  (ull)fault.time_ns / 1000000000, (ull)fault.time_ns / 1000000 % 1000,
                  (ull)fault.what.thread_id, process_fault_text((uint32_t)fault.what.vector),
                  (ull)fault.what.address, (ull)fault.what.error);
    print_registers(&fault.what.registers);
}
