// SPDX-License-Identifier: MIT
/* line_discipline - see line_discipline.h. */
#include "personality/linux/lxhost/line_discipline.h"

#include "lib/base/string.h"

#define DISABLED 0 /* a control character that no byte is: _POSIX_VDISABLE */

void discipline_start(struct discipline *line, void (*echo)(const uint8_t *bytes, size_t count))
{
    static const uint8_t characters[19] = {3,  28, 127, 21, 4,  0,  1,  0, 17,
                                           19, 26, 0,   18, 15, 23, 22, 0};

    *line = (struct discipline){.echo = echo};
    line->termios = (struct linux_termios){
        .input = LINUX_ICRNL | LINUX_IXON,
        .output = LINUX_OPOST | LINUX_ONLCR,
        .control = LINUX_CS8 | LINUX_CREAD | LINUX_B38400,
        .local = LINUX_ISIG | LINUX_ICANON | LINUX_ECHO | LINUX_ECHOE | LINUX_ECHOK |
                 LINUX_ECHOCTL | LINUX_ECHOKE | LINUX_IEXTEN,
    };
    memcpy(line->termios.characters, characters, sizeof characters);
}

static bool is_local(const struct discipline *line, uint32_t flag)
{
    return (line->termios.local & flag) != 0;
}

static bool is_character(const struct discipline *line, uint8_t byte, unsigned which)
{
    uint8_t character = line->termios.characters[which];

    return character != DISABLED && byte == character;
}

static bool is_control(uint8_t byte)
{
    return byte < 32 || byte == 127;
}

/* As it is shown: control characters as ^X, but for those that move the cursor. */
static void show(struct discipline *line, uint8_t byte)
{
    uint8_t text[2] = {'^', byte ^ 64};

    if (!is_local(line, LINUX_ECHO))
        return;
    if (byte == '\n')
        line->echo((const uint8_t *)"\r\n", 2);
    else if (is_control(byte) && byte != '\t' && is_local(line, LINUX_ECHOCTL))
        line->echo(text, 2);
    else
        line->echo(&byte, 1);
}

/* A byte of a character of UTF-8 that is not its first. */
static bool continues(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The last character, with all its bytes; false: there is none. */
static bool erase(struct discipline *line)
{
    uint8_t byte = 0;

    if (line->edited_count == 0)
        return false;
    while (line->edited_count != 0) {
        byte = line->edited[--line->edited_count];
        if (!continues(byte))
            break;
    }
    if (!is_local(line, LINUX_ECHO) || !is_local(line, LINUX_ECHOE))
        return true;
    line->echo((const uint8_t *)"\b \b", 3);
    if (is_control(byte) && is_local(line, LINUX_ECHOCTL))
        line->echo((const uint8_t *)"\b \b", 3);
    return true;
}

static void erase_word(struct discipline *line)
{
    while (line->edited_count != 0 && line->edited[line->edited_count - 1] == ' ')
        (void)erase(line);
    while (line->edited_count != 0 && line->edited[line->edited_count - 1] != ' ')
        (void)erase(line);
}

static void add_ready(struct discipline *line, const uint8_t *bytes, uint32_t count)
{
    if (count > LINE_BYTES - line->ready_count)
        count = LINE_BYTES - line->ready_count; /* as Linux: what nobody reads is lost */
    memcpy(line->ready + line->ready_count, bytes, count);
    line->ready_count += count;
}

static void finish_line(struct discipline *line)
{
    add_ready(line, line->edited, line->edited_count);
    line->edited_count = 0;
}

/* One byte of a line that can be edited. */
static void edit(struct discipline *line, uint8_t byte)
{
    if (is_character(line, byte, LINUX_VERASE)) {
        (void)erase(line);
    } else if (is_character(line, byte, LINUX_VKILL)) {
        while (erase(line))
            ;
    } else if (is_character(line, byte, LINUX_VWERASE) && is_local(line, LINUX_IEXTEN)) {
        erase_word(line);
    } else if (is_character(line, byte, LINUX_VEOF)) {
        line->end = line->edited_count == 0;
        finish_line(line);
    } else {
        bool ends = byte == '\n' || is_character(line, byte, LINUX_VEOL);

        show(line, byte);
        /* The last place is for what ends the line. */
        if (line->edited_count < LINE_BYTES - (ends ? 0 : 1))
            line->edited[line->edited_count++] = byte;
        if (ends)
            finish_line(line);
    }
}

static enum discipline_signal signal_of(struct discipline *line, uint8_t byte)
{
    enum discipline_signal signal = is_character(line, byte, LINUX_VINTR)   ? LINE_INTERRUPT
                                    : is_character(line, byte, LINUX_VQUIT) ? LINE_QUIT
                                    : is_character(line, byte, LINUX_VSUSP) ? LINE_SUSPEND
                                                                            : LINE_NONE;

    if (signal == LINE_NONE || !is_local(line, LINUX_ISIG))
        return LINE_NONE;
    show(line, byte);
    line->edited_count = line->ready_count = 0;
    return signal;
}

enum discipline_signal discipline_type(struct discipline *line, uint8_t byte)
{
    enum discipline_signal signal = signal_of(line, byte);

    if (signal != LINE_NONE)
        return signal;
    if (byte == '\r' && (line->termios.input & LINUX_IGNCR) != 0)
        return LINE_NONE;
    if (byte == '\r' && (line->termios.input & LINUX_ICRNL) != 0)
        byte = '\n';
    else if (byte == '\n' && (line->termios.input & LINUX_INLCR) != 0)
        byte = '\r';
    if (is_local(line, LINUX_ICANON)) {
        edit(line, byte);
        return LINE_NONE;
    }
    show(line, byte);
    add_ready(line, &byte, 1);
    return LINE_NONE;
}

bool discipline_can_read(const struct discipline *line)
{
    return line->ready_count != 0 || line->end;
}

size_t discipline_read(struct discipline *line, uint8_t *to, size_t size)
{
    size_t count = 0;

    if (line->ready_count == 0) {
        line->end = false;
        return 0;
    }
    while (count < size && count < line->ready_count) {
        uint8_t byte = line->ready[count];

        to[count++] = byte;
        if (is_local(line, LINUX_ICANON) && (byte == '\n' || is_character(line, byte, LINUX_VEOL)))
            break;
    }
    line->ready_count -= (uint32_t)count;
    memmove(line->ready, line->ready + count, line->ready_count);
    return count;
}

void discipline_set(struct discipline *line, const struct linux_termios *termios, bool flush)
{
    line->termios = *termios;
    if (flush)
        line->edited_count = line->ready_count = 0;
    if (!is_local(line, LINUX_ICANON))
        finish_line(line);
}

size_t discipline_print(const struct discipline *line, const uint8_t *from, size_t count,
                        uint8_t *to)
{
    bool pairs =
        (line->termios.output & LINUX_OPOST) != 0 && (line->termios.output & LINUX_ONLCR) != 0;
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (pairs && from[i] == '\n')
            to[length++] = '\r';
        to[length++] = from[i];
    }
    return length;
}
