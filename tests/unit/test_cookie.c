/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN cookies: what they keep, for how long, to what they are bound, and that they cannot be guessed
 * [RFC4987-3, RFC6528-6].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cookie.h"
#include "rng.h"

#define START 123456789ull
#define SLOT_US ((ustime)1 << COOKIE_SLOT_SHIFT)
#define GUESSES 10000000u
#define COOKIES 100000u

static const struct siphash_key master = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
static const struct tuple somebody = {.head = {.laddr4 = RTE_BE32(0xc0000201),
	.raddr4 = RTE_BE32(0xc0000202), .lport = RTE_BE16(80), .rport = RTE_BE16(40000),
	.family = AF_INET}};

static bool
is_good(const struct tuple *tuple, uint32_t irs, seq_t iss, bool has_ts, ustime now)
{
	struct cookie_syn syn = {.has_ts = has_ts};
	struct cookies cookies;

	cookies_init(&cookies, master);
	return cookie_check(&cookies, tuple, seq(irs), iss, &syn, now);
}

static seq_t
made(uint16_t mss, ustime now)
{
	struct cookies cookies;

	cookies_init(&cookies, master);
	return cookie_make(&cookies, &somebody, seq(77), &(struct cookie_syn){.mss = mss}, now);
}

static void
test_the_mss_is_kept_rounded_down(void **state)
{
	static const uint16_t exact[] = {216, 536, 1220, 1300, 1360, 1440, 1460, 8940};
	struct cookies cookies;
	uint16_t below = 0;

	cookies_init(&cookies, master);
	for (uint32_t mss = COOKIE_MSS_LEAST; mss <= UINT16_MAX; mss++) {
		struct cookie_syn syn = {.mss = (uint16_t)mss}, kept = {0};
		seq_t iss = cookie_make(&cookies, &somebody, seq(mss), &syn, START);

		assert_true(cookie_check(&cookies, &somebody, seq(mss), iss, &kept, START));
		if (below < sizeof(exact) / sizeof(exact[0]) - 1 && mss >= exact[below + 1])
			below++;
		assert_int_equal(kept.mss, exact[below]);
	}
}

/* [RFC4987-3] good in its slot and the next, and never for longer than it says. */
static void
test_it_expires(void **state)
{
	for (ustime made_at = START; made_at < START + 3 * SLOT_US; made_at += SLOT_US / 7) {
		seq_t iss = made(1460, made_at);
		ustime end = ((made_at >> COOKIE_SLOT_SHIFT) + 2) << COOKIE_SLOT_SHIFT;

		assert_true(is_good(&somebody, 77, iss, false, made_at));
		assert_true(is_good(&somebody, 77, iss, false, end - 1));
		assert_in_range(end - 1 - made_at, SLOT_US - 1, COOKIE_LIFE_US);
		assert_false(is_good(&somebody, 77, iss, false, end));
		assert_false(is_good(&somebody, 77, iss, false, end + SLOT_US));
		assert_false(is_good(&somebody, 77, iss, false, end + 1000 * SLOT_US));
	}
}

static void
test_in_the_first_slot_of_all_there_is_none_before(void **state)
{
	assert_true(is_good(&somebody, 77, made(1460, 0), false, 5));
	assert_false(is_good(&somebody, 77, seq(made(1460, 0).n ^ 0x80000000u), false, 5));
}

/* [RFC4987-3] to both addresses and ports, the peer's number, timestamps, and its own MSS bits. */
static void
test_it_is_bound_to_everything(void **state)
{
	seq_t iss = made(1460, START);
	struct tuple other;

	for (unsigned int byte = 0; byte < TUPLE_HEAD_KEY_LEN - 1; byte++) {
		other = somebody;
		((uint8_t *)&other.head)[byte] ^= 1;
		assert_false(is_good(&other, 77, iss, false, START));
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		assert_false(is_good(&somebody, 77, seq(iss.n ^ 1u << bit), false, START));
		assert_false(is_good(&somebody, 77 ^ 1u << bit, iss, false, START));
	}
	assert_false(is_good(&somebody, 77, iss, true, START));
	assert_true(is_good(&somebody, 77, iss, false, START));
}

/* [RFC6528-5] Lanes of one stack have one secret, and other stacks another. */
static void
test_lanes_know_each_others(void **state)
{
	struct cookie_syn syn = {0};
	struct cookies stranger;

	assert_true(is_good(&somebody, 77, made(1460, START), false, START + SLOT_US / 2));
	cookies_init(&stranger, (struct siphash_key){master.k0 ^ 1, master.k1});
	assert_false(cookie_check(&stranger, &somebody, seq(77), made(1460, START), &syn, START));
}

/* [RFC4987-3, ATK-23] ten million guesses of an ACK: less than one in 2^24 would be two or more. */
static void
test_it_cannot_be_guessed(void **state)
{
	struct cookies cookies;
	unsigned int hits = 0;
	struct rng rng;

	cookies_init(&cookies, master);
	rng_init(&rng, master);
	for (uint32_t i = 0; i < GUESSES; i++) {
		uint64_t guess = rng_next(&rng);
		struct cookie_syn syn = {0};

		hits += cookie_check(&cookies, &somebody, seq((uint32_t)guess),
			seq((uint32_t)(guess >> 32)), &syn, START);
	}
	assert_int_equal(hits, 0);
}

/* [RFC6528-6] Neighbouring SYNs have unrelated numbers. */
static void
test_it_looks_random(void **state)
{
	unsigned int ones[28] = {0}, same_step = 0;
	struct tuple tuple = somebody;
	uint32_t last = 0, last_step = 0;
	struct cookies cookies;

	cookies_init(&cookies, master);
	for (uint32_t i = 0; i < COOKIES; i++) {
		struct cookie_syn syn = {.mss = 1460};
		uint32_t n;

		tuple.head.rport = rte_cpu_to_be_16((uint16_t)i);
		tuple.head.raddr4 = rte_cpu_to_be_32(0x0a000000u + (i >> 16));
		n = cookie_make(&cookies, &tuple, seq(77), &syn, START).n & 0x0fffffff;
		for (unsigned int bit = 0; bit < 28; bit++)
			ones[bit] += n >> bit & 1;
		same_step += n - last == last_step;
		last_step = n - last;
		last = n;
	}
	for (unsigned int bit = 0; bit < 28; bit++)
		assert_in_range(ones[bit], COOKIES / 2 - COOKIES / 100, COOKIES / 2 + COOKIES / 100);
	assert_true(same_step <= 1);
}

/* [RFC4987-4] The options come back, and TSval is never ahead of the clock, at most 63 behind. */
static void
test_tsval_keeps_the_options(void **state)
{
	static const uint32_t clocks[] = {0, 1, 63, 64, 1000003, 0x7fffffe0, 0xffffffff};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		for (uint32_t n = 0; n < 16 * 4 * 64; n++) {
			uint32_t now = clocks[i] + n / 64, tsval;
			struct cookie_options options = {
				.has_wscale = n % 16 != 15,
				.wscale = n % 16 != 15 ? n % 16 : 0,
				.has_sack = n & 16,
				.ecn = n & 32,
			}, kept;

			tsval = cookie_tsval(now, &options);
			kept = cookie_options_of(tsval);
			assert_true(now - tsval < 64);
			assert_memory_equal(&kept, &options, sizeof(kept));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_mss_is_kept_rounded_down),
		cmocka_unit_test(test_it_expires),
		cmocka_unit_test(test_in_the_first_slot_of_all_there_is_none_before),
		cmocka_unit_test(test_it_is_bound_to_everything),
		cmocka_unit_test(test_lanes_know_each_others),
		cmocka_unit_test(test_it_cannot_be_guessed),
		cmocka_unit_test(test_it_looks_random),
		cmocka_unit_test(test_tsval_keeps_the_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
