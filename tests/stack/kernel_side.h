/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_KERNEL_SIDE_H
#define RILL_TESTS_KERNEL_SIDE_H

/* The kernel's end of connections with a stack in this process; for one test program each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/types.h>

#define PATIENCE_MS 10000

/* from: NULL for whatever the kernel chooses. A socket, or a negative errno. */
static inline int
kernel_connect_from(const char *from, const char *to, uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	assert_true(fd >= 0);
	if (from != NULL) {
		inet_pton(AF_INET, from, &addr.sin_addr);
		assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	addr.sin_port = htons(port);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	inet_pton(AF_INET, to, &addr.sin_addr);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		err = -errno;
		close(fd);
	}
	return err != 0 ? err : fd;
}

static inline int
kernel_connect(const char *to, uint16_t port)
{
	return kernel_connect_from(NULL, to, port);
}

struct bulk {
	int fd;
	const char *bytes;
	size_t len;
	bool sent;
};

static inline void *
send_bulk(void *arg)
{
	struct bulk *bulk = arg;
	size_t done = 0;

	while (done < bulk->len) {
		ssize_t n = send(bulk->fd, bulk->bytes + done, bulk->len - done, MSG_NOSIGNAL);

		if (n <= 0)
			return NULL;
		done += (size_t)n;
	}
	bulk->sent = true;
	return NULL;
}

/* What goes out comes back. */
static inline void
expect_echo(int fd, size_t len)
{
	char *out = malloc(len), *in = malloc(len);
	struct bulk bulk = {.fd = fd, .bytes = out, .len = len};
	pthread_t sender;
	size_t got = 0;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)(i * 7 + i / 251);
	assert_int_equal(pthread_create(&sender, NULL, send_bulk, &bulk), 0);
	while (got < len) {
		ssize_t n = recv(fd, in + got, len - got, 0);

		if (n <= 0)
			fail_msg("after %zu of %zu bytes: %s", got, len, n == 0 ? "end" : strerror(errno));
		got += (size_t)n;
	}
	pthread_join(sender, NULL);
	assert_true(bulk.sent);
	assert_memory_equal(in, out, len);
	free(out);
	free(in);
}

static inline void
expect_end(int fd)
{
	char byte;

	shutdown(fd, SHUT_WR);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

static inline void
expect_service(const char *to, uint16_t port)
{
	int fd = kernel_connect(to, port);

	if (fd < 0)
		fail_msg("%s:%u: %s", to, port, strerror(-fd));
	expect_echo(fd, 100);
	expect_end(fd);
}

static inline struct rill_prefix
prefix(const char *text)
{
	struct rill_prefix out;

	assert_int_equal(rill_prefix_parse(text, &out), 0);
	return out;
}

/*
 * net_tap makes signals of its frames, which EAL's own threads may take: they are not to interrupt the
 * kernel's side of this test, and lanes get their frames though they are born with signals blocked.
 */
static inline void
block_signals(bool block)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &all, NULL);
}

#endif
