// SPDX-License-Identifier: MIT
/* facts.h - the files of the tour: services.json, versions.json, figures.json, and index.html, which shows them. */
#pragma once

#include <stddef.h>

#include "lib/client/file.h"

/* Writes all that changes; the directory is the session's root. */
mnos_status_t facts_write(struct file_session *files);
/* Writes what does not: the page itself, a text with zeros behind it up to `size`, and the versions. */
mnos_status_t facts_write_fixed(struct file_session *files, const char *page, size_t size);
