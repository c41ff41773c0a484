// SPDX-License-Identifier: MIT
/* tlb.h - dropping translations on the calling core; across cores: arch.h. */
#pragma once

/* Of user addresses, of every address space. */
void tlb_flush_user(void);
/* Of kernel addresses as well. */
void tlb_flush_all(void);
