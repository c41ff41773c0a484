// SPDX-License-Identifier: MIT
/* page - see page.h. */
#include "services/httpd/page.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "services/httpd/date.h"
#include "services/httpd/text.h"

#define END "</ul>\n</body></html>\n"
#define END_CUT "</ul>\n<p>and more</p>\n</body></html>\n"
/* Of one name, each byte of which may become six: `&quot;` or `%22`. */
#define NAME_ROOM(bytes) (9 * (bytes) + 64 + sizeof END_CUT)

static const struct {
    uint32_t status;
    const char *text;
} statuses[] = {
    {200, "OK"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {412, "Precondition Failed"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".toml", "text/plain; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
};

static const char *status_words(uint32_t status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "Error";
}

const char *page_type(const char *name)
{
    const char *ending = ""; /* from the last point on, as those of `types` are */

    for (; *name != 0; name++)
        if (*name == '.')
            ending = name;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static void add(struct page *page, const char *text)
{
    size_t bytes = strlen(text);

    if (bytes > sizeof page->text - page->count) {
        page->cut = true;
        return;
    }
    memcpy(page->text + page->count, text, bytes);
    page->count += bytes;
}

/* As text of HTML, whatever it holds. */
static void add_text(struct page *page, const char *text)
{
    for (; *text != 0; text++) {
        char one[2] = {*text, 0};

        add(page, *text == '<'   ? "&lt;"
                  : *text == '>' ? "&gt;"
                  : *text == '&' ? "&amp;"
                  : *text == '"' ? "&quot;"
                                 : one);
    }
}

static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

/* As a part of a link. */
static void add_link(struct page *page, const char *text)
{
    for (; *text != 0; text++) {
        char one[4] = {*text, 0};

        if (!is_plain(*text))
            (void)mnos_snprintf(one, sizeof one, "%%%02X", (uint8_t)*text);
        add(page, one);
    }
}

void page_begin(struct page *page, const char *title)
{
    page->count = 0;
    page->cut = false;
    add(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    add_text(page, title);
    add(page, "</title></head>\n<body><h1>");
    add_text(page, title);
    add(page, "</h1>\n<ul>\n");
}

bool page_add_name(struct page *page, const char *name, bool is_directory)
{
    if (sizeof page->text - page->count < NAME_ROOM(strlen(name)))
        return false;
    add(page, "<li><a href=\"");
    add_link(page, name);
    add(page, is_directory ? "/\">" : "\">");
    add_text(page, name);
    add(page, is_directory ? "/</a></li>\n" : "</a></li>\n");
    return true;
}

void page_end(struct page *page, bool all)
{
    add(page, all ? END : END_CUT);
}

void page_error(struct page *page, uint32_t status)
{
    char title[64];

    (void)mnos_snprintf(title, sizeof title, "%u %s", status, status_words(status));
    page_begin(page, title);
    page_end(page, true);
}

static void file_lines(struct text *head, const struct page_head *says)
{
    char date[DATE_TEXT_BYTES];

    if (says->validator->tag[0] != 0) {
        TEXT(head, "ETag: ");
        TEXT(head, says->validator->tag);
        TEXT(head, "\r\n");
    }
    if (says->validator->modified_s != 0) {
        date_text(date, says->validator->modified_s);
        TEXT(head, "Last-Modified: ");
        text_put(head, date, DATE_TEXT_BYTES - 1);
        TEXT(head, "\r\n");
    }
    TEXT(head, "Accept-Ranges: bytes\r\n");
    if (says->status != 206 && says->status != 416)
        return;
    TEXT(head, "Content-Range: bytes ");
    if (says->status == 206) {
        text_decimal(head, says->first);
        TEXT(head, "-");
        text_decimal(head, says->first + says->length - 1);
    } else {
        TEXT(head, "*");
    }
    TEXT(head, "/");
    text_decimal(head, says->size);
    TEXT(head, "\r\n");
}

static void body_lines(struct text *head, const struct page_head *says)
{
    TEXT(head, "Content-Type: ");
    TEXT(head, says->type);
    TEXT(head, "\r\nContent-Length: ");
    text_decimal(head, says->length);
    TEXT(head, "\r\nX-Content-Type-Options: nosniff\r\n");
}

size_t page_head(char head[PAGE_HEAD_BYTES], const struct page_head *says)
{
    struct text text = {.bytes = head, .room = PAGE_HEAD_BYTES};
    char date[DATE_TEXT_BYTES];

    TEXT(&text, "HTTP/1.1 ");
    text_decimal(&text, says->status);
    TEXT(&text, " ");
    TEXT(&text, status_words(says->status));
    TEXT(&text, "\r\nServer: MinimalOS\r\n");
    if (says->now_s != 0) {
        date_text(date, says->now_s);
        TEXT(&text, "Date: ");
        text_put(&text, date, DATE_TEXT_BYTES - 1);
        TEXT(&text, "\r\n");
    }
    if (says->status != 304) /* it has no body, and says nothing of the one that it stands for */
        body_lines(&text, says);
    if (says->validator != NULL)
        file_lines(&text, says);
    if (says->status == 405)
        TEXT(&text, "Allow: GET, HEAD\r\n");
    if (says->location != NULL) {
        TEXT(&text, "Location: ");
        TEXT(&text, says->location);
        TEXT(&text, "\r\n");
    }
    if (says->keep_alive)
        TEXT(&text, "Connection: keep-alive\r\n\r\n");
    else
        TEXT(&text, "Connection: close\r\n\r\n");
    text_end(&text);
    return text.count;
}
