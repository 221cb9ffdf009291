/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of rill-load's requests: whatever the size, and wherever one goes on, each request has the
 * same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "payload.h"

/* Writes n bytes of the stream of requests, in pieces of at most `most`, as a send queue takes them. */
static void
stream(const struct payload *payload, uint32_t most, uint8_t *to, uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		const uint8_t *bytes;
		uint64_t run = payload_run(payload, (uint32_t)(done % payload->request), &bytes);

		run = run < most ? run : most;
		run = run < n - done ? run : n - done;
		memcpy(to + done, bytes, run);
		done += run;
	}
}

static void
test_every_request_is_the_same(void **state)
{
	static const uint32_t sizes[] = {1, 2, 64, 1000, 1460, PAYLOAD_BLOCK - 1, PAYLOAD_BLOCK,
		PAYLOAD_BLOCK + 1, 200000};
	static const uint32_t pieces[] = {1 << 30, 1460, 77};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t size = sizes[i];
		uint8_t *bytes = malloc(3 * (size_t)size);
		struct payload payload;

		assert_int_equal(payload_init(&payload, size, NULL), 0);
		for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
			stream(&payload, pieces[p], bytes, 3 * (uint64_t)size);
			assert_memory_equal(bytes, bytes + size, size);
			assert_memory_equal(bytes, bytes + 2 * (size_t)size, size);
			if (size > PAYLOAD_BLOCK)
				assert_memory_equal(bytes, bytes + PAYLOAD_BLOCK, size - PAYLOAD_BLOCK);
		}
		payload_fini(&payload);
		free(bytes);
	}
}

static void
test_text(void **state)
{
	struct payload payload;
	uint8_t bytes[15];

	assert_int_equal(payload_init(&payload, 5, "ping\n"), 0);
	stream(&payload, 3, bytes, sizeof(bytes));
	assert_memory_equal(bytes, "ping\nping\nping\n", sizeof(bytes));
	payload_fini(&payload);
}

static void
test_none(void **state)
{
	struct payload payload;

	assert_int_equal(payload_init(&payload, 0, NULL), 0);
	assert_null(payload.bytes);
	payload_fini(&payload);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_request_is_the_same),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
