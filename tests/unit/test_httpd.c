// SPDX-License-Identifier: MIT
/* test_httpd - the parts of the web server that know no sockets: paths of requests, and pages. */
#include "tests/unit/unit.h"

#include <string.h>

#define add httpd_add
#include "services/httpd/page.c"
#include "services/httpd/path.c"
#include "services/httpd/text.c"

static bool path_is(const char *target, const char *want)
{
    char path[32];

    return request_path(target, path, sizeof path) && strcmp(path, want) == 0;
}

TEST(httpd, a_target_is_decoded_once)
{
    CHECK(path_is("/", ""));
    CHECK(path_is("/a/b.txt", "a/b.txt"));
    CHECK(path_is("/a%20b%2Fc", "a b/c"));
    CHECK(path_is("/%2541", "%41")); /* not twice */
    CHECK(path_is("/a?b=/c%00", "a"));
    CHECK(path_is("/../x", "../x")); /* the file system's to refuse */
}

TEST(httpd, a_target_may_name_its_host)
{
    CHECK(path_is("http://a/b", "b"));
    CHECK(path_is("HTTPS://user@a:80/%62/", "b/"));
    CHECK(path_is("http://a", ""));
    CHECK(path_is("http://a?b/c", ""));
}

TEST(httpd, what_is_no_path_is_refused)
{
    static const char *const wrong[] = {"",   "a",   "*",    "http:",  "http://",  "ftp://a/",
                                        "/%", "/%4", "/%zz", "/a%00b", "http:///b"};
    char path[32];

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!request_path(wrong[i], path, sizeof path));
    CHECK(request_path("/0123456789012345678901234567890", path, sizeof path));
    CHECK(!request_path("/01234567890123456789012345678901", path, sizeof path)); /* too long */
}

TEST(httpd, a_listing_holds_any_name_as_text_and_as_a_link)
{
    static struct page page;

    page_begin(&page, "/<&>");
    CHECK(page_add_name(&page, "a<b>&\"c d", false));
    CHECK(page_add_name(&page, "dir", true));
    page_end(&page, true);
    CHECK(!page.cut && page.count < PAGE_BYTES);
    page.text[page.count] = 0;
    CHECK(strstr(page.text, "<h1>/&lt;&amp;&gt;</h1>") != NULL);
    CHECK(strstr(page.text, "<a href=\"a%3Cb%3E%26%22c%20d\">a&lt;b&gt;&amp;&quot;c d</a>") !=
          NULL);
    CHECK(strstr(page.text, "<a href=\"dir/\">dir/</a>") != NULL);
}

TEST(httpd, a_listing_that_is_too_long_says_so_and_is_whole)
{
    static struct page page;
    char name[256];
    unsigned count = 0;

    memset(name, '<', sizeof name - 1);
    name[sizeof name - 1] = 0;
    page_begin(&page, "/");
    while (page_add_name(&page, name, false))
        count++;
    page_end(&page, false);
    CHECK(count > 2 && !page.cut && page.count <= PAGE_BYTES);
    CHECK(memcmp(page.text + page.count - strlen("</html>\n"), "</html>\n", 8) == 0);
}

TEST(httpd, the_head_of_each_answer_has_room)
{
    static const uint32_t answers[] = {200, 206, 301, 304, 400, 404, 405, 408,
                                       412, 414, 416, 431, 500, 501, 503, 505};
    char head[PAGE_HEAD_BYTES], location[PAGE_LOCATION_MAX + 1];
    struct validator validator = {.modified_s = DATE_LAST};

    memset(location, 'a', sizeof location - 1);
    location[sizeof location - 1] = 0;
    memset(validator.tag, 'a', sizeof validator.tag - 1);
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        size_t count = page_head(head, &(struct page_head){.status = answers[i],
                                                           .type = "text/javascript; charset=utf-8",
                                                           .length = UINT64_MAX,
                                                           .keep_alive = true,
                                                           .location = location,
                                                           .validator = &validator,
                                                           .first = UINT64_MAX,
                                                           .size = UINT64_MAX,
                                                           .now_s = DATE_LAST});

        CHECK(count < PAGE_HEAD_BYTES && memcmp(head + count - 4, "\r\n\r\n", 4) == 0);
    }
}

TEST(httpd, a_text_takes_whole_pieces_and_says_when_one_had_no_room)
{
    char bytes[24];
    struct text text = {.bytes = bytes, .room = sizeof bytes};

    TEXT(&text, "a ");
    text_decimal(&text, 0);
    TEXT(&text, " ");
    text_digits(&text, 7, 2);
    TEXT(&text, " ");
    text_hex(&text, 0xBEEF);
    text_end(&text);
    CHECK_STR_EQ(bytes, "a 0 07 beef");
    text_decimal(&text, UINT64_MAX); /* 20 digits, and there is room for 13 */
    CHECK(text.cut && text.count == 11);
    TEXT(&text, "thirteen more");
    CHECK_EQ(text.count, sizeof bytes);
    text_end(&text);
    CHECK_STR_EQ(bytes, "a 0 07 beefthirteen mor");
    text.count = 0;
    text_decimal(&text, UINT64_MAX);
    text_end(&text);
    CHECK_STR_EQ(bytes, "18446744073709551615");
}

TEST(httpd, a_type_is_told_by_the_last_point_of_a_name)
{
    CHECK_STR_EQ(page_type("index.html"), "text/html; charset=utf-8");
    CHECK_STR_EQ(page_type("a.html.png"), "image/png");
    CHECK_STR_EQ(page_type(".css"), "text/css; charset=utf-8");
    CHECK_STR_EQ(page_type("html"), "application/octet-stream");
    CHECK_STR_EQ(page_type("a.html."), "application/octet-stream");
    CHECK_STR_EQ(page_type(""), "application/octet-stream");
}
