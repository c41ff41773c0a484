// SPDX-License-Identifier: MIT
/* pressure - what is given up so that a frame that comes finds room: interface.c, hold(). */
#include "services/net/net.h"

bool tcp_forget_out_of_order(void)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next)
        if (pcb->ooseq != NULL) {
            tcp_free_ooseq(pcb);
            return true;
        }
    return false;
}
