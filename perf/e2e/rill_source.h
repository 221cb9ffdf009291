/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_RILL_SOURCE_H
#define RILL_PERF_RILL_SOURCE_H

/*
 * Bulk out, as an application on Rill: for each request it hands over a fetch, record by record, as
 * fast as the send queue takes them. A record is a chain of buffers of the application's own pool,
 * in which the bytes to be sent stand already: it copies nothing.
 */

#include <rill/conn.h>

#include "server.h"

struct rill_source;

/* Does nothing, and takes no memory, for other works. NULL with a sentence on stderr. */
struct rill_source *rill_source_create(const struct server_setup *setup);

/* After its connections have ended. Returns the number of buffers that did not come back. */
unsigned int rill_source_destroy(struct rill_source *source);

/* The listener's, whose user is the struct rill_source. */
const struct rill_handler *rill_source_handler(void);

#endif
