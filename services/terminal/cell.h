// SPDX-License-Identifier: MIT
/*
 * cell.h - what one cell of a terminal shows, in one word: so that "is it on the screen already" is one comparison, and lines
 * that have scrolled away cost 8 bytes a cell. Colours have 6, 7 and 6 bits for red, green and blue.
 */
#pragma once

#include <stdint.h>

typedef uint64_t cell_t;

#define CELL_CODE 0x1FFFFFull /* the code point; 0 in the right half of a wide one */
#define CELL_UNDERLINE (1ull << 21)
#define CELL_INK_SHIFT 26
#define CELL_PAPER_SHIFT 45
#define CELL_COLOUR 0x7FFFFull

static inline uint32_t cell_colour(unsigned red, unsigned green, unsigned blue)
{
    return (uint32_t)(red >> 2 << 13 | green >> 1 << 6 | blue >> 2);
}

static inline cell_t cell_make(uint32_t code, uint32_t ink, uint32_t paper, uint64_t flags)
{
    return (code & CELL_CODE) | flags | (cell_t)ink << CELL_INK_SHIFT |
           (cell_t)paper << CELL_PAPER_SHIFT;
}

static inline uint32_t cell_ink(cell_t cell)
{
    return cell >> CELL_INK_SHIFT & CELL_COLOUR;
}

static inline uint32_t cell_paper(cell_t cell)
{
    return cell >> CELL_PAPER_SHIFT & CELL_COLOUR;
}

/* As the kernel's console has them: red, green, blue. */
#define CELL_BLANK_INK 0xC8, 0xD0, 0xD8
#define CELL_BLANK_PAPER 0, 0, 0

/* Where nothing was written. */
static inline cell_t cell_blank(void)
{
    return cell_make(' ', cell_colour(CELL_BLANK_INK), cell_colour(CELL_BLANK_PAPER), 0);
}

/* Ink and paper change places: the cursor. */
static inline cell_t cell_reversed(cell_t cell)
{
    return cell_make(cell & CELL_CODE, cell_paper(cell), cell_ink(cell), cell & CELL_UNDERLINE);
}

/* Of a colour, 0xRRGGBB: all bits of a channel are its highest value. */
static inline uint32_t cell_rgb(uint32_t colour)
{
    uint32_t red = colour >> 13 & 0x3F, green = colour >> 6 & 0x7F, blue = colour & 0x3F;

    return (red << 2 | red >> 4) << 16 | (green << 1 | green >> 6) << 8 | (blue << 2 | blue >> 4);
}
