/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPT_H
#define SCRIPT_H

/*
 * What the files of the interpreter share. README.md has the language.
 *
 * Every line of every test is parsed before the first test runs, by the very functions that run it
 * later: a command takes its words and calls script_runs(), which is false while the file is only
 * being checked. A wrong word ends the program with the script's file and line, status 2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "fixtures.h"
#include "peer.h"

#define SCRIPT_WORDS_MAX 64
#define SCRIPT_TEXT_MAX 4096  /* bytes of a line */
#define SCRIPT_LINES_MAX 4000 /* of a file */
#define SCRIPT_TESTS_MAX 300
#define SCRIPT_DEPTH_MAX 4 /* blocks in blocks */

struct script_line {
	int number; /* in the file */
	unsigned int count;
	const char *words[SCRIPT_WORDS_MAX];
	unsigned int end; /* a block's first line: the index of its "end" */
};

struct script_test {
	const char *name;          /* with its tags */
	unsigned int first, count; /* lines */
	int number;
};

struct script {
	const char *file;
	struct script_line lines[SCRIPT_LINES_MAX];
	unsigned int lines_count;
	struct script_test tests[SCRIPT_TESTS_MAX];
	unsigned int tests_count;
};

/* Where the interpreter is. */
struct script_at {
	const char *file;
	const struct script_line *line;
	unsigned int word; /* the next one to take */
	bool run;          /* false: only checking */
	bool touched;      /* something was done in this test already */
	/* Variables of expressions. */
	int64_t i; /* the count of the innermost repeat, from 0 */
	struct synchronized sync;
	struct peer_setup setup;
};

extern struct script_at at;

/* ---- read.c */

/* Reads a file into tests and lines; ends the program where it is not one. */
void script_read(struct script *script, const char *file);
/* Ends the program: file, line, and the complaint. */
void script_wrong(int line, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* script_wrong on the present line. */
#define wrong(...) script_wrong(at.line->number, __VA_ARGS__)
/* A complaint about the lane: the test fails on the present line of the script. */
#define fails(...) peer_fail(at.file, at.line->number, __VA_ARGS__)

/* ---- words.c: taking the words of the present line */

/* The next word; wrong() where there is none. */
const char *take_word(const char *what);
/* True, and it is taken, if it is the next one. */
bool take_if(const char *word);
bool words_left(void);
/* The line must end here; then: is it to be run? */
bool script_runs(void);
int64_t take_number(const char *what);
uint32_t take_u32(const char *what);
/* 40ms, 3s, 200us, 5min, 2h; returns µs. */
uint64_t take_duration(void);
uint32_t take_addr(void);
/* Hexadecimal digits to bytes; returns how many. */
size_t take_hex(uint8_t *bytes, size_t room);
/* A number or variable, with + - and *. */
int64_t expression(const char *text);
/* The number of a word in a list of names. */
unsigned int take_name(const char *const names[], unsigned int count, const char *what);

/* "100", ">= 100", "any": what a value must be. */
struct wanted {
	enum { WANTED_ANY, WANTED_EQ, WANTED_NE, WANTED_LT, WANTED_LE, WANTED_GT, WANTED_GE } how;
	int64_t value;
};
struct wanted take_wanted(const char *what);
bool is_wanted(const struct wanted *wanted, int64_t value);
/* Fails the test unless it is. */
void must_be(const struct wanted *wanted, const char *what, int64_t value);

/* ---- the commands: each parses the rest of its line, and runs it if script_runs() */

/* say.c */
void do_peer(void);
void do_icmp(void);
void do_icmp6(void);
void do_raw(void);
/* hear.c */
void do_lane(void);
void do_silence(void);
void do_skip(void);
/* call.c */
void do_listen(void);
void do_unlisten(void);
void do_connect(void);
void do_write(void);
void do_send(void);
void do_urgent(void);
void do_consume(void);
void do_set(void);
void do_call(const char *name, int (*call)(struct rill_conn *conn));
void do_echo(void);
void do_address(void);
void do_route(void);
/* look.c */
void do_state(void);
void do_info(void);
void do_count(void);
void do_drop(void);
void do_app(void);
void do_closed(void);
void do_alive(void);
/* setup.c */
void do_in(void);
void do_with(void);
/* Before anything else is done in a test: the lane is made anew if "with" asked for it. */
void script_touch(void);
/* An option by its name and value. */
int32_t take_option_value(enum rill_option option);
void take_option(struct rill_options *options, const char *name);
/* The app of the present flow becomes the one spoken of; called after each command. */
void script_find_app(void);
void script_forget_apps(void);

#endif
