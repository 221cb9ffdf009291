/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_PACKETS_H
#define RILL_TESTS_PACKETS_H

/*
 * For tests that handle packets: EAL without devices, two small pools that must be whole again
 * after each test, and packets cut into mbufs at any byte.
 */

#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#define PACKETS_POOL 255
#define PACKETS_ROOM 2048

static struct rte_mempool *packets_pool;  /* what "the NIC" received */
static struct rte_mempool *control_pool; /* what the code under test builds from */

static inline int
packets_start(void **state)
{
	static char *args[] = {"test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "--log-level=3", "-m", "64", "-l", "0"};

	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		return -1;
	packets_pool = rte_pktmbuf_pool_create("packets", PACKETS_POOL, 0, 0,
		RTE_PKTMBUF_HEADROOM + PACKETS_ROOM, SOCKET_ID_ANY);
	control_pool = rte_pktmbuf_pool_create("control", PACKETS_POOL, 0, 0,
		RTE_PKTMBUF_HEADROOM + PACKETS_ROOM, SOCKET_ID_ANY);
	return packets_pool == NULL || control_pool == NULL ? -1 : 0;
}

static inline int
packets_end(void **state)
{
	return rte_eal_cleanup();
}

static inline void
packets_expect_none_in_use(void)
{
	assert_int_equal(rte_mempool_in_use_count(packets_pool), 0);
	assert_int_equal(rte_mempool_in_use_count(control_pool), 0);
}

/* A piece of a packet; poisoned beyond its end so that reading too far is seen by its effect. */
static inline struct rte_mbuf *
packets_piece(const void *bytes, uint32_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(packets_pool);

	assert_non_null(mbuf);
	memset(mbuf->buf_addr, 0xa5, mbuf->buf_len);
	if (len > 0)
		memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), bytes, len);
	return mbuf;
}

/* The bytes as one packet. */
static inline struct rte_mbuf *
packets_make(const void *bytes, uint32_t len)
{
	return packets_piece(bytes, len);
}

/* The bytes in three pieces, cut at a and b (a <= b <= len): pieces may be empty. */
static inline struct rte_mbuf *
packets_cut(const void *bytes, uint32_t len, uint32_t a, uint32_t b)
{
	struct rte_mbuf *mbuf = packets_piece(bytes, a);

	assert_int_equal(rte_pktmbuf_chain(mbuf, packets_piece((const char *)bytes + a, b - a)), 0);
	assert_int_equal(
		rte_pktmbuf_chain(mbuf, packets_piece((const char *)bytes + b, len - b)), 0);
	return mbuf;
}

/* Is the packet well formed, with exactly these bytes? */
static inline void
packets_expect_bytes(const struct rte_mbuf *mbuf, const void *bytes, uint32_t len)
{
	static uint8_t copy[UINT16_MAX];
	const char *why;

	assert_int_equal(rte_mbuf_check(mbuf, 1, &why), 0);
	assert_int_equal(mbuf->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_read(mbuf, 0, len, copy), bytes, len);
}

#endif
