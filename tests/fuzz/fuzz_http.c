/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The http parser of rill-echo, and its other protocols: an input is three bytes of choices, then what the
 * peer sends. It is sent twice, once as it is and once in pieces with a send queue that refuses at random:
 * the answers must be the same bytes with the same end, and nothing may be left of the connection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo_talk.h"
#include "fuzz.h"
#include "proto.h"
#include "session.h"

#define IN_MAX 20000 /* a little more than the longest request head */

/* What the second byte chooses. */
enum { WITH_EOF = 0x01, LARGE_PIECES = 0x02 };

struct outcome {
	uint8_t *sent;
	uint32_t sent_len;
	bool fin;
	enum fake_end end;
};

static void
begin(uint8_t choice)
{
	static const char *const protocols[8] = {"http", "http", "http", "http", "http", "line", "length", "raw"};

	settings_default(&talk_settings);
	talk_settings.proto = proto_by_name(protocols[choice & 7]);
	talk_settings.max_conns = 4;
	talk_settings.max_message = choice & 8 ? 64 : 4096;
	talk_settings.hold_bytes = 64u << 10;
	if (echo_lane_init(talk_lane, &talk_settings) != 0)
		abort();
}

static struct outcome
finish(uint8_t how)
{
	struct outcome outcome;

	if (how & WITH_EOF)
		fake_eof();
	talk_settle();
	outcome = (struct outcome){malloc(fake.sent_len + 1), fake.sent_len, fake.fin, fake.end};
	if (outcome.sent == NULL)
		abort();
	memcpy(outcome.sent, fake.sent, fake.sent_len);
	talk_close();
	return outcome;
}

static struct outcome
in_one_piece(const uint8_t *data, uint32_t size, uint8_t how)
{
	talk_open(0, 0);
	if (size > 0)
		fake_deliver(talk_chain(data, size, 1500));
	return finish(how);
}

static struct outcome
in_pieces(const uint8_t *data, uint32_t size, uint8_t how, uint8_t seed)
{
	uint32_t most = how & LARGE_PIECES ? 1500 : 12;

	talk_open(seed, seed % 3 * 30);
	for (uint32_t at = 0, n; at < size; at += n) {
		n = 1 + fake_random(most);
		n = n < size - at ? n : size - at;
		fake_deliver(talk_chain(data + at, n, 1 + fake_random(most)));
		while (fake_random(3) == 0 || (fake.paused && fake_random(20) != 0)) {
			fake_step();
			fake_advance(fake_random(2) * SESSION_RETRY_US);
		}
	}
	return finish(how);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return talk_setup(NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome a, b;

	if (size < 3 || size > IN_MAX)
		return 0;
	begin(data[0]);
	a = in_one_piece(data + 3, (uint32_t)size - 3, data[1]);
	b = in_pieces(data + 3, (uint32_t)size - 3, data[1], data[2]);
	if (a.sent_len != b.sent_len || memcmp(a.sent, b.sent, a.sent_len) != 0 || a.fin != b.fin ||
		a.end != b.end) {
		fprintf(stderr, "fuzz: %u bytes, fin %d, end %d; in pieces %u, %d, %d\n", a.sent_len, a.fin,
			a.end, b.sent_len, b.fin, b.end);
		abort();
	}
	free(a.sent);
	free(b.sent);
	echo_lane_fini(talk_lane);
	return 0;
}
