/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash is SipHash-1-3: it gives published values, and what a plain transcription of the paper
 * gives for every length. A tuple hashes as its bytes, owner's bytes excepted. Derived keys differ
 * by purpose and by every byte of the secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "siphash.h"

#define LEN_MAX 64

static const struct siphash_key counting_key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};

static uint64_t
left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
plain_rounds(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1], v[1] = left(v[1], 13), v[1] ^= v[0], v[0] = left(v[0], 32);
		v[2] += v[3], v[3] = left(v[3], 16), v[3] ^= v[2];
		v[0] += v[3], v[3] = left(v[3], 21), v[3] ^= v[0];
		v[2] += v[1], v[1] = left(v[1], 17), v[1] ^= v[2], v[2] = left(v[2], 32);
	}
}

/* SipHash-c-d as the paper states it: the padded message as a list of little-endian words. */
static uint64_t
plain_siphash(int c, int d, struct siphash_key key, const uint8_t *data, size_t len)
{
	uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575ull, key.k1 ^ 0x646f72616e646f6dull,
		key.k0 ^ 0x6c7967656e657261ull, key.k1 ^ 0x7465646279746573ull};
	size_t words = len / 8 + 1;

	for (size_t i = 0; i < words; i++) {
		uint64_t word = 0;

		for (size_t j = 0; j < 8; j++) {
			size_t at = 8 * i + j;
			uint64_t byte = at < len ? data[at] : at == 8 * words - 1 ? len & 0xff : 0;

			word |= byte << 8 * j;
		}
		v[3] ^= word;
		plain_rounds(v, c);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	plain_rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void
fill_counting(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
}

/* The reference vectors of SipHash-1-3: key 00 01 .. 0f, message 00 01 .. of each length. */
static void
test_published_values(void **state)
{
	static const uint64_t want[] = {
		0xabac0158050fc4dcull, 0xc9f49bf37d57ca93ull, 0x82cb9b024dc7d44dull,
		0x8bf80ab8e7ddf7fbull, 0xcf75576088d38328ull, 0xdef9d52f49533b67ull,
		0xc50d2b50c59f22a7ull, 0xd3927d989bb11140ull, 0x369095118d299a8eull,
		0x25a48eb36c063de4ull, 0x79de85ee92ff097full, 0x70c118c1f94dc352ull,
	};
	/* What CPython 3.11, which hashes bytes by SipHash-1-3, says under the key 0. */
	static const struct siphash_key zero;
	uint8_t message[LEN_MAX];

	fill_counting(message, LEN_MAX);
	for (size_t len = 0; len < sizeof(want) / sizeof(want[0]); len++)
		assert_true(siphash(&counting_key, message, len) == want[len]);
	assert_true(siphash(&zero, "rill", 4) == 0xeb2a8de6d52be3b8ull);
	assert_true(siphash(&zero, message, 45) == 0x8b581578722633f7ull);
}

static void
test_every_length_equals_the_paper(void **state)
{
	uint8_t message[LEN_MAX + 1];

	fill_counting(message, sizeof(message));
	/* The paper's own example, of SipHash-2-4, tells that the transcription is right. */
	assert_true(plain_siphash(2, 4, counting_key, message, 15) == 0xa129ca6149be45e5ull);
	for (size_t len = 0; len <= LEN_MAX; len++) {
		uint64_t want = plain_siphash(1, 3, counting_key, message + 1, len);

		assert_true(siphash(&counting_key, message + 1, len) == want); /* unaligned */
	}
}

static void
test_a_tuple_hashes_as_its_bytes(void **state)
{
	struct tuple tuple = {.head = {.laddr4 = 0x01020304, .raddr4 = 0x05060708, .lport = 0x1112,
				      .rport = 0x2122, .family = AF_INET, .owner = {7, 8, 9}}};
	uint8_t bytes[37];

	memset(&tuple.addrs6, 0xee, sizeof(tuple.addrs6)); /* not meaningful for IPv4 */
	memcpy(bytes, &tuple.head, TUPLE_HEAD_KEY_LEN);
	assert_true(siphash_tuple(&counting_key, &tuple) ==
		    siphash(&counting_key, bytes, TUPLE_HEAD_KEY_LEN));

	tuple.head.laddr4 = 0;
	tuple.head.raddr4 = 0;
	tuple.head.family = AF_INET6;
	for (int i = 0; i < 16; i++) {
		tuple.addrs6.laddr[i] = (uint8_t)(3 * i + 1);
		tuple.addrs6.raddr[i] = (uint8_t)(5 * i + 2);
	}
	memcpy(bytes, &tuple.addrs6, 32);
	memcpy(bytes + 32, (const uint8_t *)&tuple.head + 8, 5);
	assert_true(siphash_tuple(&counting_key, &tuple) ==
		    siphash(&counting_key, bytes, sizeof(bytes)));
}

/* Each bit of the key's part of a tuple moves the hash; no bit of the owner's does. */
static void
test_every_key_bit_counts(void **state)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t f = 0; f < 2; f++) {
		struct tuple tuple = {.head.family = families[f]};
		uint64_t before = siphash_tuple(&counting_key, &tuple);
		size_t from = families[f] == AF_INET ? 0 : offsetof(struct tuple_head, lport);
		size_t to = families[f] == AF_INET ? sizeof(tuple.head) : sizeof(tuple);

		for (size_t bit = 8 * from; bit < 8 * to; bit++) {
			struct tuple other = tuple;
			size_t byte = bit / 8;
			bool owner = byte >= TUPLE_HEAD_KEY_LEN && byte < sizeof(tuple.head);

			if (byte == offsetof(struct tuple_head, family))
				continue;
			((uint8_t *)&other)[byte] ^= (uint8_t)(1u << bit % 8);
			assert_true((siphash_tuple(&counting_key, &other) == before) == owner);
		}
	}
}

static void
test_derived_keys_differ(void **state)
{
	uint8_t secret[32];
	struct siphash_key a, b;

	fill_counting(secret, sizeof(secret));
	a = siphash_derive(secret, "table");
	b = siphash_derive(secret, "table");
	assert_memory_equal(&a, &b, sizeof(a));
	b = siphash_derive(secret, "ports");
	assert_true(a.k0 != b.k0 && a.k1 != b.k1 && a.k0 != a.k1);
	for (size_t i = 0; i < sizeof(secret); i++) {
		secret[i] ^= 0x80;
		b = siphash_derive(secret, "table");
		assert_true(a.k0 != b.k0 || a.k1 != b.k1);
		secret[i] ^= 0x80;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_values),
		cmocka_unit_test(test_every_length_equals_the_paper),
		cmocka_unit_test(test_a_tuple_hashes_as_its_bytes),
		cmocka_unit_test(test_every_key_bit_counts),
		cmocka_unit_test(test_derived_keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
