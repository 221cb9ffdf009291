/* SPDX-License-Identifier: BSD-3-Clause */
/* The raw, line and length protocols answer each stream by the same bytes and the same end however it
 * is split, merged and refused; keep bounded memory; and leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "echo_talk.h"
#include "frame.h"
#include "session.h"

#define TEXT(s) s, sizeof(s) - 1
#define TOO_LONG "error: message longer than 8 bytes (--max-message)\n"

static void
run_table(const char *protocol, uint32_t max_message, const struct talk *talks, size_t n)
{
	talk_begin(protocol);
	talk_end();
	talk_settings.max_message = max_message;
	assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);
	for (size_t i = 0; i < n; i++)
		talk_all_ways(&talks[i]);
	talk_end();
}

static void
test_raw_echoes_bytes(void **state)
{
	static const struct talk talks[] = {
		{"nothing", TEXT(""), false, TEXT(""), TALK_OPEN},
		{"nothing and the end", TEXT(""), true, TEXT(""), TALK_FIN},
		{"a byte", TEXT("x"), false, TEXT("x"), TALK_OPEN},
		{"bytes and the end", TEXT("a\0b\nc\377"), true, TEXT("a\0b\nc\377"), TALK_FIN},
	};

	run_table("raw", 8, talks, sizeof(talks) / sizeof(talks[0]));
}

static void
test_line_echoes_lines(void **state)
{
	static const struct talk talks[] = {
		{"nothing and the end", TEXT(""), true, TEXT(""), TALK_FIN, 0},
		{"one line", TEXT("one\n"), false, TEXT("one\n"), TALK_OPEN, 1},
		{"three lines", TEXT("one\ntwo\nthree\n"), false, TEXT("one\ntwo\nthree\n"), TALK_OPEN,
			3},
		{"empty lines", TEXT("\n\n\r\n"), true, TEXT("\n\n\r\n"), TALK_FIN, 3},
		{"an unfinished line stays", TEXT("one\ntw"), false, TEXT("one\n"), TALK_OPEN, 1},
		{"an unfinished line at the end", TEXT("one\ntw"), true, TEXT("one\ntw"), TALK_FIN, 1},
		{"zero bytes in lines", TEXT("a\0b\n\0\n"), false, TEXT("a\0b\n\0\n"), TALK_OPEN, 2},
		{"the longest", TEXT("12345678\n12345678\n"), true, TEXT("12345678\n12345678\n"),
			TALK_FIN, 2},
		{"the longest, unfinished", TEXT("12345678"), true, TEXT("12345678"), TALK_FIN, 0},
		{"one byte too long", TEXT("123456789\n"), false, TEXT(TOO_LONG), TALK_FIN, 0},
		{"too long without an end", TEXT("123456789"), false, TEXT(TOO_LONG), TALK_FIN, 0},
		{"too long after good ones", TEXT("a\nb\n123456789abc\nmore\n"), true,
			TEXT("a\nb\n" TOO_LONG), TALK_FIN, 2},
	};

	run_table("line", 8, talks, sizeof(talks) / sizeof(talks[0]));
}

static void
test_length_echoes_messages(void **state)
{
	static const struct talk talks[] = {
		{"nothing and the end", TEXT(""), true, TEXT(""), TALK_FIN, 0},
		{"one message", TEXT("\0\0\0\3abc"), false, TEXT("\0\0\0\3abc"), TALK_OPEN, 1},
		{"empty messages", TEXT("\0\0\0\0\0\0\0\0"), false, TEXT("\0\0\0\0\0\0\0\0"), TALK_OPEN,
			2},
		{"three", TEXT("\0\0\0\1a\0\0\0\0\0\0\0\2bc"), true,
			TEXT("\0\0\0\1a\0\0\0\0\0\0\0\2bc"), TALK_FIN, 3},
		{"an unfinished header stays", TEXT("\0\0\0\1a\0\0\0"), false, TEXT("\0\0\0\1a"),
			TALK_OPEN, 1},
		{"an unfinished message stays", TEXT("\0\0\0\1a\0\0\0\3ab"), false,
			TEXT("\0\0\0\1a"), TALK_OPEN, 1},
		{"an unfinished message at the end", TEXT("\0\0\0\1a\0\0\0\3ab"), true,
			TEXT("\0\0\0\1a\0\0\0\3ab"), TALK_FIN, 1},
		{"the longest", TEXT("\0\0\0\10""12345678"), false, TEXT("\0\0\0\10""12345678"),
			TALK_OPEN, 1},
		{"too long", TEXT("\0\0\0\11"), false, TEXT(""), TALK_RST, 0},
		{"far too long after a good one", TEXT("\0\0\0\1a\377\377\377\377zzz"), false,
			TEXT("\0\0\0\1a"), TALK_RST, 1},
		{"the length is big-endian", TEXT("\1\0\0\0"), false, TEXT(""), TALK_RST, 0},
	};

	run_table("length", 8, talks, sizeof(talks) / sizeof(talks[0]));
}

/* More than the send queue takes at once, so that every kind of waiting happens. */
static void
test_large_streams(void **state)
{
	enum { STREAM = 1000003, MESSAGE = 300000, MESSAGES = 4, LINE = 70000 };
	char *data = malloc(STREAM), *messages = malloc(MESSAGES * (MESSAGE + 4));
	struct talk talk = {"a large stream", data, STREAM, true, data, STREAM, TALK_FIN};
	uint32_t lines = 0;

	for (uint32_t i = 0; i < STREAM; i++)
		data[i] = (char)('a' + i * 7 % 26 + i / 5003 % 3);
	run_table("raw", 8, &talk, 1);

	for (uint32_t i = LINE; i < STREAM; i += 1 + (i * 31 % LINE), lines++)
		data[i] = '\n';
	talk.name = "long lines";
	talk.messages = lines;
	run_table("line", LINE * 2, &talk, 1);

	for (uint32_t i = 0; i < MESSAGES; i++) {
		char *m = messages + i * (MESSAGE + 4);

		memcpy(m, "\0\4\x93\xe0", 4); /* 300000 */
		memcpy(m + 4, data + i * 1000, MESSAGE);
	}
	talk = (struct talk){"long messages", messages, MESSAGES * (MESSAGE + 4), true, messages,
		MESSAGES * (MESSAGE + 4), TALK_FIN, MESSAGES};
	run_table("length", MESSAGE, &talk, 1);
	free(messages);
	free(data);
}

/* A peer that dribbles pins blocks by its bytes, not a buffer per byte. */
static void
test_dribble_pins_little(void **state)
{
	unsigned int in_use = 0;

	talk_begin("line");
	talk_open(0, 0);
	for (unsigned int i = 0; i < 10000; i++)
		fake_deliver(talk_chain("x", 1, 1));
	in_use = talk_lane->blocks.used;
	assert_in_range(in_use, 5, 6);
	fake_deliver(talk_chain("\n", 1, 1));
	assert_int_equal(fake.sent_len, 10001);
	/* Nothing is in progress any more, so there is no session either. */
	assert_null(fake.conn_user);
	talk_close();
	talk_end();
}

/* raw needs a session only while it is blocked, and then it pauses the peer. */
static void
test_raw_pauses_while_blocked(void **state)
{
	char block[1000] = {0};

	talk_begin("raw");
	talk_open(0, 0);
	fake.sndbuf = 2500;
	fake_deliver(talk_chain(block, sizeof(block), 1000));
	fake_deliver(talk_chain(block, sizeof(block), 1000));
	assert_null(fake.conn_user);
	fake_deliver(talk_chain(block, sizeof(block), 1000));
	assert_non_null(fake.conn_user);
	assert_true(fake.paused);
	talk_settle();
	assert_false(fake.paused);
	assert_null(fake.conn_user);
	assert_int_equal(fake.sent_len, 3000);
	talk_close();
	talk_end();
}

/* Memory for unfinished messages has a bound, and hitting it has a counter and an answer. */
static void
test_hold_is_bounded(void **state)
{
	static const char words[] = "error: no memory for unfinished messages (--hold)\n";
	static char much[9u << 20];

	memset(much, 'x', sizeof(much));
	talk_begin("line");
	talk_end();
	talk_settings.max_message = 64u << 20;
	assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);
	talk_open(0, 0);
	for (size_t i = 0; i < sizeof(much); i += 1u << 16)
		fake_deliver(talk_chain(much + i, 1u << 16, 1500));
	talk_settle();
	assert_int_equal(talk_lane->count.no_hold, 1);
	assert_int_equal(fake.sent_len, sizeof(words) - 1);
	assert_memory_equal(fake.sent, words, sizeof(words) - 1);
	talk_close();
	talk_end();
}

/* More connections in need of a session than there are: the one without is aborted, and counted. */
static void
test_no_session_left(void **state)
{
	void *taken[4];

	talk_begin("line");
	for (size_t i = 0; i < 4; i++)
		taken[i] = pool_get(&talk_lane->sessions);
	talk_open(0, 0);
	fake_deliver(talk_chain("unfinished", 10, 10));
	assert_int_equal(talk_lane->count.no_session, 1);
	assert_int_equal(fake.end, FAKE_ABORTED);
	for (size_t i = 0; i < 4; i++)
		pool_put(&talk_lane->sessions, taken[i]);
	talk_close();
	talk_end();
}

/* After "too long" the peer may go on sending: it is drained, so that the answer is not lost to a
 * RST, but not for ever. */
static void
test_linger_is_bounded(void **state)
{
	talk_begin("line");
	talk_end();
	talk_settings.max_message = 8;
	assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);
	talk_open(0, 0);
	fake_deliver(talk_chain("123456789", 9, 9));
	assert_true(fake.fin);
	for (unsigned int i = 0; i < 49; i++) {
		fake_deliver(talk_chain("more", 4, 4));
		fake_advance(SESSION_LINGER_US / 50);
	}
	assert_int_equal(fake.end, FAKE_OPEN);
	fake_advance(SESSION_LINGER_US / 50);
	assert_int_equal(fake.end, FAKE_CLOSED);
	assert_int_equal(talk_lane->count.linger_ended, 1);
	talk_settle();
	talk_close();
	talk_end();
}

static void
test_idle_timeout(void **state)
{
	static const char *const protocols[] = {"raw", "line", "length", "http"};

	for (size_t i = 0; i < 4; i++) {
		talk_begin(protocols[i]);
		talk_end();
		talk_settings.idle_timeout_ms = 2000;
		assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);

		/* Traffic puts the end off, each time anew. */
		talk_open(0, 0);
		for (unsigned int j = 0; j < 3; j++) {
			fake_advance(1999999);
			fake_deliver(talk_chain("\n", 1, 1));
			fake_step();
		}
		fake_advance(1999999);
		assert_int_equal(fake.end, FAKE_OPEN);
		fake_advance(1);
		assert_int_equal(fake.end, FAKE_CLOSED);
		assert_int_equal(talk_lane->count.idle_ended, 1);
		fake_step();
		talk_close();

		/* A peer that takes nothing of what it is owed gets RST. */
		if (i < 2) {
			talk_open(0, 0);
			fake_deliver(talk_chain("\n", 1, 1));
			fake_advance(2000000);
			assert_int_equal(fake.end, FAKE_ABORTED);
			talk_close();
		}
		talk_end();
	}
}

/* Longer than a timer can be. */
static void
test_long_idle_timeout(void **state)
{
	const uint64_t day_us = UINT64_C(24) * 3600 * 1000000;

	talk_begin("line");
	talk_end();
	talk_settings.idle_timeout_ms = (uint32_t)(day_us / 1000);
	assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);
	talk_open(0, 0);
	fake_advance(day_us - 1);
	assert_int_equal(fake.end, FAKE_OPEN);
	fake_advance(1);
	assert_int_equal(fake.end, FAKE_CLOSED);
	talk_close();
	talk_end();
}

/* 0 means: no timeout. */
static void
test_no_idle_timeout(void **state)
{
	talk_begin("line");
	talk_open(0, 0);
	fake_deliver(talk_chain("unfinished", 10, 10));
	fake_advance(UINT64_C(1000000) * 3600 * 24 * 365);
	assert_int_equal(fake.end, FAKE_OPEN);
	talk_close();
	talk_end();
}

/* The connection is lost in the middle of things. */
static void
test_loss_leaves_nothing(void **state)
{
	static const char *const protocols[] = {"raw", "line", "length", "http"};

	for (uint64_t seed = 0; seed < 400; seed++) {
		char text[600];

		talk_begin(protocols[seed % 4]);
		talk_open(seed, 90);
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = "\0\0GET / HTTP/1.1\r\nHost: a\r\n\r\n\n"[
				fake_random(seed % 2 ? 2 : 31)];
		if (seed % 8 >= 4)
			memcpy(text, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n", 51);
		for (unsigned int i = 0; i < fake_random(8); i++) {
			fake_deliver(talk_chain(text + i * 60, 60, 1 + fake_random(60)));
			if (fake_random(2) == 0)
				fake_step();
		}
		talk_close();
		talk_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw_echoes_bytes),
		cmocka_unit_test(test_line_echoes_lines),
		cmocka_unit_test(test_length_echoes_messages),
		cmocka_unit_test(test_large_streams),
		cmocka_unit_test(test_dribble_pins_little),
		cmocka_unit_test(test_raw_pauses_while_blocked),
		cmocka_unit_test(test_hold_is_bounded),
		cmocka_unit_test(test_no_session_left),
		cmocka_unit_test(test_linger_is_bounded),
		cmocka_unit_test(test_idle_timeout),
		cmocka_unit_test(test_long_idle_timeout),
		cmocka_unit_test(test_no_idle_timeout),
		cmocka_unit_test(test_loss_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, talk_setup, talk_teardown);
}
