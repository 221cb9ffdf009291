/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_FETCH_H
#define RILL_PERF_FETCH_H

/*
 * Bulk out. A client asks with FETCH_REQUEST bytes, whatever they are, for one fetch; the server
 * sends as many bytes as a fetch has. What they are, all three of player, Rill and limit know: a
 * fetch is some equal records (what the application hands over at once), a record some pieces (a
 * buffer each), all full but a record's last. Every piece is the beginning of the same random
 * bytes.
 */

#include <stdbool.h>
#include <stdint.h>

#define FETCH_REQUEST 16
#define FETCH_PIECE_MAX 2048 /* the data room of a common buffer */
#define FETCH_RECORD 65536   /* bytes of a large record, at most */
#define FETCH_RECORDS 4      /* large records of a fetch */
#define FETCHES_OF_FLOW 4    /* that one flow may wait for */

struct fetch_shape {
	uint16_t size;   /* payload of a full segment [bytes] */
	uint16_t piece;  /* bytes */
	uint32_t record; /* bytes */
	uint32_t bytes;  /* of a fetch: a multiple of size and of record */
};

/* Records as large as a TSO send; or else one segment each. */
struct fetch_shape fetch_shape_of(uint16_t size, bool large);

/* Buffers that the fetches of so many requests under way take. */
uint32_t fetch_buffers(const struct fetch_shape *shape, uint32_t fetches);

/* Writes the first bytes of every piece. */
void fetch_fill(uint8_t *piece, uint16_t len);

/* Is this what stands `offset` bytes into a fetch? */
bool fetch_matches(const struct fetch_shape *shape, const uint8_t *pattern, uint32_t offset,
	const uint8_t *bytes, uint32_t len);

#endif
