/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and prefixes from text, strictly, and addresses to text and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rill/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define IP4(a, b, c, d) {.family = AF_INET, .u.ip4 = {a, b, c, d}}

static const char *const not_addresses[] = {
	"", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.4 ", " 1.2.3.4",
	"1.2.3.4x", "1.2.3.4/24", "01.2.3.4", "0x1.2.3.4", "1..2.3", "1.2.3.", "a.b.c.d",
	"localhost", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1::",
	"fe80::1%eth0", "::12345", "[::1]", "::1 ", "1.2.3.4\n",
};

static void
test_addresses_are_read(void **state)
{
	static const struct {
		const char *text;
		struct rill_addr expect;
	} cases[] = {
		{"0.0.0.0", IP4(0, 0, 0, 0)},
		{"192.0.2.1", IP4(192, 0, 2, 1)},
		{"255.255.255.255", IP4(255, 255, 255, 255)},
		{"::", {.family = AF_INET6}},
		{"::1", {.family = AF_INET6, .u.ip6 = {[15] = 1}}},
		{"2001:db8::1:2", {.family = AF_INET6,
			.u.ip6 = {0x20, 0x01, 0x0d, 0xb8, [13] = 1, [15] = 2}}},
		{"::ffff:192.0.2.1", {.family = AF_INET6,
			.u.ip6 = {[10] = 0xff, 0xff, 192, 0, 2, 1}}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rill_addr addr;

		memset(&addr, 0xa5, sizeof(addr));
		assert_int_equal(rill_addr_parse(cases[i].text, &addr), 0);
		assert_memory_equal(&addr, &cases[i].expect, sizeof(addr)); /* all of it */
	}
}

static void
test_anything_else_is_refused(void **state)
{
	struct rill_addr addr = IP4(1, 2, 3, 4), before = addr;

	for (size_t i = 0; i < COUNT(not_addresses); i++) {
		assert_int_equal(rill_addr_parse(not_addresses[i], &addr), -EINVAL);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
	assert_int_equal(rill_addr_parse(NULL, &addr), -EINVAL);
}

static void
test_prefixes_are_read(void **state)
{
	static const struct {
		const char *text;
		struct rill_addr addr;
		uint8_t len;
	} cases[] = {
		{"192.0.2.1/24", IP4(192, 0, 2, 1), 24},
		{"192.0.2.1/0", IP4(192, 0, 2, 1), 0},
		{"192.0.2.1/9", IP4(192, 0, 2, 1), 9},
		{"192.0.2.1/32", IP4(192, 0, 2, 1), 32},
		{"192.0.2.1", IP4(192, 0, 2, 1), 32},
		{"0.0.0.0/0", IP4(0, 0, 0, 0), 0},
		{"::1/128", {.family = AF_INET6, .u.ip6 = {[15] = 1}}, 128},
		{"::1", {.family = AF_INET6, .u.ip6 = {[15] = 1}}, 128},
		{"2000::/3", {.family = AF_INET6, .u.ip6 = {0x20}}, 3},
		{"1111:2222:3333:4444:5555:6666:123.123.123.123/64", {.family = AF_INET6,
			.u.ip6 = {0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x66,
				0x66, 123, 123, 123, 123}}, 64}, /* the longest there is */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rill_prefix prefix;

		memset(&prefix, 0xa5, sizeof(prefix));
		assert_int_equal(rill_prefix_parse(cases[i].text, &prefix), 0);
		assert_memory_equal(&prefix.addr, &cases[i].addr, sizeof(prefix.addr));
		assert_int_equal(prefix.len, cases[i].len);
	}
}

static void
test_wrong_prefixes_are_refused(void **state)
{
	static const char *const cases[] = {
		"1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/ 1", "1.2.3.4/1 ",
		"1.2.3.4/024", "1.2.3.4/00", "1.2.3.4/24x", "1.2.3.4/24/24", "1.2.3.4//24", "/24",
		"1.2.3.4/255.255.255.0", "1.2.3.4/0x18", "1.2.3.4/4294967320", "1.2.3.4/x",
		"1.2.3.4/18446744073709551640", "::1/129", "::1/", "::1/1000", "1.2.3/24", "/",
		"1111:2222:3333:4444:5555:6666:1111:2222:3333:4444/64",
	};
	struct rill_prefix prefix = {.addr = IP4(9, 9, 9, 9), .len = 9}, before = prefix;
	char endless[4096];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(rill_prefix_parse(cases[i], &prefix), -EINVAL);
		assert_memory_equal(&prefix, &before, sizeof(prefix));
	}
	for (size_t i = 0; i < COUNT(not_addresses); i++)
		if (strcmp(not_addresses[i], "1.2.3.4/24") != 0)
			assert_int_equal(rill_prefix_parse(not_addresses[i], &prefix), -EINVAL);
	assert_int_equal(rill_prefix_parse(NULL, &prefix), -EINVAL);
	memset(endless, '1', sizeof(endless));
	strcpy(endless + sizeof(endless) - 4, "/24");
	assert_int_equal(rill_prefix_parse(endless, &prefix), -EINVAL);
}

static void
test_text_comes_back(void **state)
{
	static const char *const cases[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
		"2001:db8::1:2", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rill_addr addr;
		char buf[RILL_ADDR_STRLEN];

		assert_int_equal(rill_addr_parse(cases[i], &addr), 0);
		assert_ptr_equal(rill_addr_format(&addr, buf), buf);
		assert_string_equal(buf, cases[i]);
	}
}

static void
test_unspecified_has_a_text_too(void **state)
{
	struct rill_addr addr = {0};
	char buf[RILL_ADDR_STRLEN];

	assert_string_equal(rill_addr_format(&addr, buf), "any");
}

static void
test_ranges(void **state)
{
	static const struct {
		const char *text;
		struct rill_addr first;
		uint8_t len;
		uint32_t more;
	} good[] = {
		{"10.1.0.1-10.1.255.254/16", IP4(10, 1, 0, 1), 16, 65533},
		{"10.1.0.1-10.1.0.1/16", IP4(10, 1, 0, 1), 16, 0},
		{"0.0.0.0-255.255.255.255/0", IP4(0, 0, 0, 0), 0, UINT32_MAX},
		{"10.1.0.1-10.1.0.1", IP4(10, 1, 0, 1), 32, 0},
		{"10.1.0.1/16", IP4(10, 1, 0, 1), 16, 0},
	};
	static const char *const wrong[] = {
		"10.1.0.2-10.1.0.1/16", "10.1.0.1-10.2.0.1/16", "10.1.0.1-10.1.0.2", "10.1.0.1-/16",
		"-10.1.0.1/16", "10.1.0.1-2/16", "10.1.0.1-10.1.0.2/33", "10.1.0.1/16-10.1.0.2/16",
		"::1-::2/64", "10.0.0.1-::2/64", "10.1.0.1--10.1.0.2/16", "10.1.0.1 -10.1.0.2/16",
		"1111:2222:3333:4444:5555:6666:1111:2222:3333:4444-10.1.0.2/16",
	};
	struct rill_prefix range = {.addr = IP4(9, 9, 9, 9), .len = 9}, before = range;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(rill_range_parse(wrong[i], &range), -EINVAL);
		assert_memory_equal(&range, &before, sizeof(range));
	}
	assert_int_equal(rill_range_parse(NULL, &range), -EINVAL);
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(rill_range_parse(good[i].text, &range), 0);
		assert_memory_equal(&range.addr, &good[i].first, sizeof(range.addr));
		assert_int_equal(range.len, good[i].len);
		assert_int_equal(range.more, good[i].more);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read),
		cmocka_unit_test(test_anything_else_is_refused),
		cmocka_unit_test(test_prefixes_are_read),
		cmocka_unit_test(test_wrong_prefixes_are_refused),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_text_comes_back),
		cmocka_unit_test(test_unspecified_has_a_text_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
