/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

/* Frames as bytes and as mbufs: what crosses from one stack to another is copied. */

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define FRAME_MAX 65600

/* A pool of count buffers, made once EAL runs. Ends the program without memory. */
struct rte_mempool *frames_pool(const char *name, unsigned int count);

/* The bytes in a fresh mbuf, chained where one buffer is too small. Ends the program without a buffer. */
struct rte_mbuf *frame_from_bytes(struct rte_mempool *pool, const uint8_t *bytes, size_t len);

/* Copies the chain's bytes to out (FRAME_MAX); returns how many. Frees nothing. */
size_t frame_bytes(const struct rte_mbuf *frame, uint8_t *out);

#define FRAME_HASH_START 0xcbf29ce484222325u

/* FNV-1a over bytes, on top of what was hashed before. */
uint64_t frame_hash(uint64_t hash, const void *bytes, size_t len);

#endif
