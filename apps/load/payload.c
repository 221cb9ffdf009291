/* SPDX-License-Identifier: BSD-3-Clause */
#include "payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
payload_init(struct payload *payload, uint32_t request, const char *text)
{
	uint32_t unit = request < PAYLOAD_BLOCK ? request : PAYLOAD_BLOCK;
	uint64_t random = 0x9e3779b97f4a7c15ull;

	*payload = (struct payload){.request = request};
	if (request == 0)
		return 0;
	payload->kept = PAYLOAD_BLOCK / unit * unit;
	payload->bytes = malloc(payload->kept);
	if (payload->bytes == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < unit; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		payload->bytes[i] = text != NULL ? (uint8_t)text[i] : (uint8_t)random;
	}
	for (uint32_t at = unit; at < payload->kept; at += unit)
		memcpy(payload->bytes + at, payload->bytes, unit);
	return 0;
}

void
payload_fini(struct payload *payload)
{
	free(payload->bytes);
	*payload = (struct payload){0};
}
