// SPDX-License-Identifier: MIT
/* keys - see keys.h. Host tests compile this file. */
#include "programs/monitor/keys.h"

#define BELL 0x07
#define ESCAPE 0x1B
#define DEL 0x7F
#define PARAMETER_MAX 9999

enum {
    GROUND,
    ESCAPE_SEEN,
    CONTROL_SEQUENCE, /* after "ESC [" */
    LINUX_FUNCTION,   /* after "ESC [ [": the Linux console's F1 to F5 */
    SHIFT_THREE,      /* after "ESC O": one more byte */
    STRING,           /* OSC, DCS, SOS, PM, APC: up to BEL or "ESC \\" */
    STRING_ESCAPE,
};

static bool is_control(uint8_t byte)
{
    return byte < 0x20 || byte == DEL;
}

static unsigned parameter(const struct key_decoder *decoder, unsigned index)
{
    return index < decoder->parameter_count ? decoder->parameters[index] : 0;
}

/* Ctrl or Alt in the modifier parameter: 1 and a bit for each of Shift, Alt, Ctrl, Meta. */
static bool has_modifier(const struct key_decoder *decoder)
{
    unsigned modifier = parameter(decoder, 1);

    return decoder->escaped || (modifier > 1 && ((modifier - 1) & ~1u) != 0);
}

static unsigned key_of(struct key_decoder *decoder, struct key *key, enum key_code code)
{
    *key = (struct key){.code = code, .modified = has_modifier(decoder)};
    return 1;
}

/* "ESC [ number ~": the keys of a VT220 and of rxvt. */
static unsigned numbered_key(struct key_decoder *decoder, struct key *key)
{
    switch (parameter(decoder, 0)) {
    case 1:
    case 7: return key_of(decoder, key, KEY_HOME);
    case 4:
    case 8: return key_of(decoder, key, KEY_END);
    case 3: return key_of(decoder, key, KEY_DELETE);
    default: return 0;
    }
}

/* The final byte of "ESC [ ... X" or "ESC O X". */
static unsigned final_byte(struct key_decoder *decoder, uint8_t byte, struct key *key)
{
    decoder->state = GROUND;
    if (!decoder->known)
        return 0;
    switch (byte) {
    case 'A': return key_of(decoder, key, KEY_UP);
    case 'B': return key_of(decoder, key, KEY_DOWN);
    case 'C': return key_of(decoder, key, KEY_RIGHT);
    case 'D': return key_of(decoder, key, KEY_LEFT);
    case 'H': return key_of(decoder, key, KEY_HOME);
    case 'F': return key_of(decoder, key, KEY_END);
    case 'c': /* rxvt, with Ctrl */
    case 'd':
        decoder->escaped = true;
        return key_of(decoder, key, byte == 'c' ? KEY_RIGHT : KEY_LEFT);
    case '~': return numbered_key(decoder, key);
    default: return 0;
    }
}

static void begin_sequence(struct key_decoder *decoder, unsigned state)
{
    decoder->state = state;
    decoder->known = true;
    decoder->parameter_count = 0;
}

static void parameter_byte(struct key_decoder *decoder, uint8_t byte)
{
    unsigned *last;

    if (decoder->parameter_count == 0)
        decoder->parameters[decoder->parameter_count++] = 0;
    last = &decoder->parameters[decoder->parameter_count - 1];
    if (byte >= '0' && byte <= '9') {
        if (*last <= PARAMETER_MAX / 10)
            *last = *last * 10 + byte - '0';
    } else if (byte == ';' && decoder->parameter_count < KEY_PARAMETERS) {
        decoder->parameters[decoder->parameter_count++] = 0;
    } else {
        decoder->known = false; /* private, or more than any key sends */
    }
}

static unsigned control_sequence(struct key_decoder *decoder, uint8_t byte, struct key *key)
{
    if (byte == '[' && decoder->parameter_count == 0 && decoder->known) {
        decoder->state = LINUX_FUNCTION;
        return 0;
    }
    if (byte >= 0x40)
        return final_byte(decoder, byte, key);
    if (byte >= 0x30)
        parameter_byte(decoder, byte);
    else
        decoder->known = false; /* an intermediate byte: no key has one */
    return 0;
}

/* The byte after an escape. */
static unsigned after_escape(struct key_decoder *decoder, uint8_t byte, struct key *key)
{
    switch (byte) {
    case '[': begin_sequence(decoder, CONTROL_SEQUENCE); return 0;
    case 'O': begin_sequence(decoder, SHIFT_THREE); return 0;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_': decoder->state = STRING; return 0;
    default:
        decoder->state = GROUND;
        *key = (struct key){.code = KEY_ALT, .modified = true, .character = byte};
        return 1;
    }
}

static unsigned control(struct key_decoder *decoder, uint8_t byte, struct key *key)
{
    unsigned before = decoder->state;

    decoder->state = GROUND;
    if (byte == ESCAPE) {
        decoder->escaped = before == ESCAPE_SEEN; /* "ESC ESC [ D": Alt and an arrow */
        decoder->state = before == STRING ? STRING_ESCAPE : ESCAPE_SEEN;
        return 0;
    }
    if (byte == BELL && (before == STRING || before == STRING_ESCAPE))
        return 0;
    *key = (struct key){.code = KEY_CONTROL, .character = byte};
    /* Alt and Backspace. */
    if (before == ESCAPE_SEEN && (byte == DEL || byte == '\b'))
        *key = (struct key){.code = KEY_ALT, .modified = true, .character = DEL};
    return 1;
}

/* Text, also where a sequence has been cut short by a byte that cannot be in it. */
static unsigned text(struct key_decoder *decoder, uint8_t byte, struct key *keys)
{
    uint32_t code;
    unsigned count = 0;
    enum utf8_step step = utf8_feed(&decoder->utf8, byte, &code);

    decoder->state = GROUND;
    if (step == UTF8_BAD_BEFORE) {
        keys[count++] = (struct key){.code = KEY_CHARACTER, .character = UTF8_REPLACEMENT};
        step = utf8_feed(&decoder->utf8, byte, &code);
    }
    if (step == UTF8_MORE)
        return count;
    if (step == UTF8_BAD || !utf8_is_text(code))
        code = UTF8_REPLACEMENT;
    keys[count++] = (struct key){.code = KEY_CHARACTER, .character = code};
    return count;
}

unsigned keys_feed(struct key_decoder *decoder, uint8_t byte, struct key keys[KEYS_PER_BYTE])
{
    unsigned count = 0;

    if (is_control(byte)) {
        if (decoder->utf8.missing != 0)
            keys[count++] = (struct key){.code = KEY_CHARACTER, .character = UTF8_REPLACEMENT};
        decoder->utf8.missing = 0;
        return count + control(decoder, byte, &keys[count]);
    }
    if (decoder->state == STRING)
        return 0;
    if (decoder->state == STRING_ESCAPE && byte == '\\') {
        decoder->state = GROUND;
        return 0;
    }
    if (byte >= 0x80 || decoder->state == GROUND)
        return text(decoder, byte, keys);
    switch (decoder->state) {
    case ESCAPE_SEEN:
    case STRING_ESCAPE: return after_escape(decoder, byte, keys);
    case CONTROL_SEQUENCE: return control_sequence(decoder, byte, keys);
    case SHIFT_THREE:
        if (byte >= '0' && byte <= '9')
            return 0; /* some put a modifier here */
        return final_byte(decoder, byte, keys);
    default: /* the Linux console's F1 to F5: no use for them */ decoder->state = GROUND; return 0;
    }
}

bool keys_idle(const struct key_decoder *decoder)
{
    return decoder->state == GROUND && decoder->utf8.missing == 0;
}
