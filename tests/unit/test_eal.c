/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL starts by itself on a machine as it is, with or without hugepages; with room for what was asked
 * for; the thread keeps its cores; buffers have addresses for a NIC; a second start changes nothing; wrong arguments are refused with a
 * sentence. EAL starts once in a process, so each case has one of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rill/types.h>

#include "eal.h"
#include "pool_owner.h"

#define MB (1024ull * 1024)

/* Failures are told by number: cmocka's assertions do not reach out of a child. */
static int
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
start_chosen(void)
{
	const struct eal_setup setup = {.bytes = 600 * MB};
	cpu_set_t before, after, lcore;

	pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
	if (eal_start(&setup) != 0)
		return 1;
	if (rte_lcore_count() != 1 || rte_lcore_id() != 0)
		return 2;
	if (rte_eal_iova_mode() != RTE_IOVA_VA) /* virtual devices want no other, with hugepages or without */
		return 7;
	pthread_getaffinity_np(pthread_self(), sizeof(after), &after);
	if (!CPU_EQUAL(&before, &after))
		return 3;
	lcore = rte_lcore_cpuset(0);
	if (!CPU_EQUAL(&before, &lcore))
		return 4;
	/* More than the least that is always there. */
	if (rte_malloc(NULL, 540 * MB, 0) == NULL)
		return 5;
	return eal_start(&setup) == 0 && rte_lcore_count() == 1 ? 0 : 6;
}

/* A NIC that reads memory by itself is given addresses that it can reach: no buffer is without one. */
static int
start_with_pci(void)
{
	const struct eal_setup setup = {.bytes = 64 * MB, .pci = true};
	struct rte_mempool *pool;
	struct rte_mbuf *frame;

	if (eal_start(&setup) != 0)
		return 1;
	pool = pool_owner_create("frames", 1000, 0, 2048, -1);
	if (pool == NULL)
		return 2;
	frame = rte_pktmbuf_alloc(pool);
	if (frame == NULL)
		return 3;
	if (frame->buf_iova != rte_mem_virt2iova(frame->buf_addr))
		return 4;
	return (pool->flags & RTE_MEMPOOL_F_NON_IO) == 0 ? 0 : 5;
}

static int
start_beyond_the_machine(void)
{
	const struct eal_setup setup = {.bytes = 1ull << 50};

	if (eal_start(&setup) != -ENOMEM)
		return 1;
	return strstr(rill_error(), "max_conns") != NULL && rte_lcore_count() == 0 ? 0 : 2;
}

static int
start_with_ours(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--log-level=*:warning", "-m64", "--lcores=5@0"};
	const struct eal_setup setup = {.args = args, .args_count = 7, .bytes = 600 * MB};

	if (eal_start(&setup) != 0)
		return 1;
	return rte_lcore_id() == 5 ? 0 : 2; /* not what would have been chosen */
}

static int
start_with_nonsense(void)
{
	static const char *const args[] = {"--no-huge", "--in-memory", "--log-level=*:emergency"};
	const struct eal_setup setup = {.args = args, .args_count = 3};

	if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
		return 1; /* EAL prints its usage */
	if (eal_start(&setup) >= 0)
		return 2;
	if (strstr(rill_error(), "eal_args") == NULL ||
		strstr(rill_error(), "--no-huge --in-memory") == NULL)
		return 3;
	return 0;
}

static int
start_with_too_much(void)
{
	const char *args[100];
	const struct eal_setup setup = {.args = args, .args_count = 100};

	for (int i = 0; i < 100; i++)
		args[i] = "--no-huge";
	return eal_start(&setup) < 0 && strstr(rill_error(), "eal_args") != NULL ? 0 : 1;
}

static void
test_arguments_are_chosen(void **state)
{
	assert_int_equal(in_child(start_chosen), 0);
}

static void
test_a_nic_can_reach_buffers(void **state)
{
	assert_int_equal(in_child(start_with_pci), 0);
}

static void
test_given_arguments_win(void **state)
{
	assert_int_equal(in_child(start_with_ours), 0);
}

static void
test_wrong_arguments_are_refused_with_a_sentence(void **state)
{
	assert_int_equal(in_child(start_with_nonsense), 0);
	assert_int_equal(in_child(start_with_too_much), 0);
	assert_int_equal(in_child(start_beyond_the_machine), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_are_chosen),
		cmocka_unit_test(test_a_nic_can_reach_buffers),
		cmocka_unit_test(test_given_arguments_win),
		cmocka_unit_test(test_wrong_arguments_are_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
