// SPDX-License-Identifier: MIT
/* piece.h - memory of lx itself, for the files that host tests compile too. */
#pragma once

#include <stddef.h>

/* NULL: there is no more. Not zeroed. */
void *piece_allocate(size_t bytes);
void piece_free(void *piece); /* NULL is allowed */
