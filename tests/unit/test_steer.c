/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lane of a connection is the one that RSS of a NIC chooses: the hash agrees with the examples
 * that NIC vendors verify theirs by and with DPDK's, lanes get equal shares, no lane is without ports
 * whatever the secret, neighbours go to different lanes, and another secret makes another choice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <rte_thash.h>

#include "rng.h"
#include "steer.h"

/* The key and the rows for TCP of "Verifying the RSS hash calculation". */
static const uint8_t known_key[STEER_KEY_LEN] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
	0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30,
	0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
	0x01, 0xfa};

static const struct {
	const char *from;
	uint16_t from_port;
	const char *to;
	uint16_t to_port;
	uint32_t hash;
} known[] = {
	{"66.9.149.187", 2794, "161.142.100.80", 1766, 0x51ccc178},
	{"199.92.111.2", 14230, "65.69.140.83", 4739, 0xc626b0ea},
	{"24.19.198.95", 12898, "12.22.207.184", 38024, 0x5c2b394a},
	{"38.27.205.30", 48228, "209.142.163.6", 2217, 0xafc7327f},
	{"153.39.163.191", 44251, "202.188.127.2", 1303, 0x10e828a2},
	{"3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x40207d3d},
	{"3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0xdde51bbf},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024,
		0x02d1feef},
};

static struct steer steer;

static struct tuple
tuple_of(const char *local, uint16_t lport, const char *remote, uint16_t rport)
{
	struct tuple tuple = {.head = {.lport = htons(lport), .rport = htons(rport)}};
	struct rill_addr here, there;

	assert_int_equal(rill_addr_parse(local, &here), 0);
	assert_int_equal(rill_addr_parse(remote, &there), 0);
	tuple_set_addrs(&tuple, &here, &there);
	return tuple;
}

static void
test_known_hashes(void **state)
{
	steer_init_key(&steer, known_key, 4);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct tuple tuple = tuple_of(
			known[i].to, known[i].to_port, known[i].from, known[i].from_port);

		assert_int_equal(steer_hash(&steer, &tuple), known[i].hash);
		assert_int_equal(steer_lane(&steer, &tuple), known[i].hash % STEER_RETA_SIZE % 4);
	}
}

/* A NIC's table of another length: of a hash, it uses more low bits or fewer. */
static void
test_a_table_of_another_length(void **state)
{
	static const unsigned int sizes[] = {4, 64, 128, 512};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned int ours = RTE_MIN(sizes[i], STEER_RETA_SIZE);

		steer_init_key(&steer, known_key, 3);
		steer_fit_reta(&steer, sizes[i], 3);
		for (uint32_t hash = 0; hash < 1024; hash++) {
			assert_int_equal(steer_lane_of_hash(&steer, hash),
				steer_lane_of_hash(&steer, hash % sizes[i]));
			assert_int_equal(steer_lane_of_hash(&steer, hash), hash % ours % 3);
		}
	}
}

static void
test_keys_under_which_lanes_have_no_ports(void **state)
{
	static const uint8_t zeros[STEER_KEY_LEN];
	uint8_t key[STEER_KEY_LEN];

	assert_true(steer_key_reaches_all(known_key));
	assert_false(steer_key_reaches_all(zeros));
	memset(key, 0x55, sizeof(key)); /* each second bit adds the same */
	assert_false(steer_key_reaches_all(key));
	memcpy(key, known_key, sizeof(key));
	memset(key + 32, 0x55, 16); /* where IPv6 has its ports */
	assert_false(steer_key_reaches_all(key));
}

static struct tuple
any_tuple(struct rng *rng, uint8_t family)
{
	uint64_t a = rng_next(rng), b = rng_next(rng);
	struct tuple tuple = {.head = {.lport = (uint16_t)b,
				      .rport = (uint16_t)(b >> 16),
				      .family = family}};

	if (family == AF_INET) {
		tuple.head.laddr4 = (uint32_t)a;
		tuple.head.raddr4 = (uint32_t)(a >> 32);
	}
	for (unsigned int i = 0; i < sizeof(tuple.addrs6); i++)
		((uint8_t *)&tuple.addrs6)[i] = (uint8_t)rng_next(rng);
	return tuple;
}

/* The tuple as rte_softrss takes it; returns the number of words. */
static unsigned int
words_of(const struct tuple *tuple, uint32_t words[9])
{
	unsigned int n = 0;

	if (tuple->head.family == AF_INET) {
		words[n++] = ntohl(tuple->head.raddr4);
		words[n++] = ntohl(tuple->head.laddr4);
	} else {
		uint32_t wire[8];

		memcpy(wire, tuple->addrs6.raddr, 16);
		memcpy(wire + 4, tuple->addrs6.laddr, 16);
		for (; n < 8; n++)
			words[n] = ntohl(wire[n]);
	}
	words[n++] = (uint32_t)ntohs(tuple->head.rport) << 16 | ntohs(tuple->head.lport);
	return n;
}

static void
test_agrees_with_dpdk(void **state)
{
	static const uint8_t secret[32] = "some secret";
	struct rng rng;

	rng_init(&rng, (struct siphash_key){1, 2});
	steer_init(&steer, secret, 3);
	for (int i = 0; i < 10000; i++) {
		struct tuple tuple = any_tuple(&rng, i % 2 == 0 ? AF_INET : AF_INET6);
		uint32_t words[9];
		unsigned int n = words_of(&tuple, words);

		assert_int_equal(steer_hash(&steer, &tuple), rte_softrss(words, n, steer.key));
	}
}

static const char *const servers[] = {"10.0.0.2", "2001:db8::2"};
static const char *const clients[] = {"10.0.0.1", "2001:db8::1"};

/* One server, its clients' ports in a row: the worst that is common. */
static void
test_lanes_get_equal_shares(void **state)
{
	enum { LANES = 4, CONNS = 40000 };
	unsigned int seen[2][LANES] = {{0}};

	for (uint8_t s = 0; s < 8; s++) {
		uint8_t secret[32] = {s};

		steer_init(&steer, secret, LANES);
		for (unsigned int i = 0; i < CONNS; i++) {
			struct tuple tuple =
				tuple_of(servers[s % 2], 80, clients[s % 2], (uint16_t)(1024 + i));

			seen[s % 2][steer_lane(&steer, &tuple)]++;
		}
	}
	for (int i = 0; i < 2 * LANES; i++)
		assert_in_range(seen[i / LANES][i % LANES], 4 * CONNS / LANES * 9 / 10,
			4 * CONNS / LANES * 11 / 10);
}

/* The entries of the indirection table that ports reach, whose bytes stand at `at`. */
static unsigned int
entries_reached(unsigned int at)
{
	bool first[STEER_RETA_SIZE] = {false}, all[STEER_RETA_SIZE] = {false};
	unsigned int reached = 0;

	for (unsigned int value = 0; value < 256; value++)
		first[steer.of_byte[at][value] % STEER_RETA_SIZE] = true;
	for (unsigned int i = 0; i < STEER_RETA_SIZE; i++)
		for (unsigned int value = 0; first[i] && value < 256; value++)
			all[(i ^ steer.of_byte[at + 1][value]) % STEER_RETA_SIZE] = true;
	for (unsigned int i = 0; i < STEER_RETA_SIZE; i++)
		reached += all[i];
	return reached;
}

/* One key in 256 or so would leave some entries without ports, and so one in 8192 one of 16 lanes. */
static void
test_every_lane_has_ports_whatever_the_secret(void **state)
{
	for (unsigned int s = 0; s < 1000; s++) {
		uint8_t secret[32] = {(uint8_t)s, (uint8_t)(s >> 8)};

		steer_init(&steer, secret, 16);
		for (unsigned int at = 0; at < 4; at += 2) {
			assert_int_equal(entries_reached(STEER_PORTS4_AT + at), STEER_RETA_SIZE);
			assert_int_equal(entries_reached(STEER_PORTS6_AT + at), STEER_RETA_SIZE);
		}
	}
}

/* A client's kernel takes every second port, in a row from anywhere. */
static void
test_neighbouring_ports_go_to_different_lanes(void **state)
{
	for (unsigned int s = 0; s < 200; s++)
		for (unsigned int lanes = 2; lanes <= 16; lanes *= 2) {
			uint8_t secret[32] = {(uint8_t)s};
			unsigned int seen[16] = {0};

			steer_init(&steer, secret, lanes);
			for (unsigned int i = 0; i < 4 * lanes; i++) {
				struct tuple tuple = tuple_of(servers[s / 2 % 2], 80,
					clients[s / 2 % 2],
					(uint16_t)(2 * (lanes * 1000 + i) + s % 2));

				seen[steer_lane(&steer, &tuple)]++;
			}
			for (unsigned int i = 0; i < lanes; i++)
				assert_int_equal(seen[i], 4);
		}
}

static void
test_another_secret_makes_another_choice(void **state)
{
	static const uint8_t one[32] = {1}, two[32] = {2};
	static struct steer other;
	struct rng rng;
	unsigned int same = 0;

	steer_init(&steer, one, 4);
	steer_init(&other, two, 4);
	rng_init(&rng, (struct siphash_key){3, 4});
	for (int i = 0; i < 10000; i++) {
		struct tuple tuple = any_tuple(&rng, i % 2 == 0 ? AF_INET : AF_INET6);

		same += steer_lane(&steer, &tuple) == steer_lane(&other, &tuple);
	}
	assert_in_range(same, 2200, 2800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_hashes),
		cmocka_unit_test(test_a_table_of_another_length),
		cmocka_unit_test(test_keys_under_which_lanes_have_no_ports),
		cmocka_unit_test(test_agrees_with_dpdk),
		cmocka_unit_test(test_lanes_get_equal_shares),
		cmocka_unit_test(test_every_lane_has_ports_whatever_the_secret),
		cmocka_unit_test(test_neighbouring_ports_go_to_different_lanes),
		cmocka_unit_test(test_another_secret_makes_another_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
