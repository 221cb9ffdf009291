/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_PAYLOAD_H
#define LOAD_PAYLOAD_H

/*
 * The bytes of a request, the same for every one: a given text, or pseudo-random bytes. Short ones
 * are kept several times one after another, so that many can be written at once; of a long one only
 * the first PAYLOAD_BLOCK bytes are kept, and repeat within it.
 */

#include <stdint.h>

#define PAYLOAD_BLOCK 65536u

struct payload {
	uint8_t *bytes;
	uint32_t kept;    /* bytes kept: requests as a whole, or one block of a longer one */
	uint32_t request; /* bytes of a request; 0: none */
};

/* text NULL: pseudo-random bytes. Returns 0 or -ENOMEM. */
int payload_init(struct payload *payload, uint32_t request, const char *text);
void payload_fini(struct payload *payload);

/* Where the bytes from position at (below request) on stand, and how many stand together there. */
static inline uint32_t
payload_run(const struct payload *payload, uint32_t at, const uint8_t **bytes)
{
	uint32_t from = at < payload->kept ? at : at % payload->kept;
	uint32_t run = payload->kept - from;

	*bytes = payload->bytes + from;
	if (payload->request > payload->kept && run > payload->request - at)
		run = payload->request - at;
	return run;
}

#endif
