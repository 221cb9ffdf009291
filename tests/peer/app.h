/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_APP_H
#define TEST_APP_H

/*
 * The application at the lane's end of a dialogue: it writes the pattern, checks that what it is given
 * is the pattern, and keeps a record of everything that it was told. Calls made here are followed by a
 * turn, unless a callback makes them.
 */

#include "peer.h"

#define APPS 128

enum app_event { APP_OPEN, APP_DATA, APP_SENT, APP_EOF, APP_URGENT, APP_ERROR, APP_CLOSE };

struct app {
	struct rill_conn *conn; /* NULL once closed */
	unsigned int opened, eofs, urgents, errors, closed; /* how often each was called */
	enum rill_close_reason why;
	int error;              /* of the last on_error */
	uint32_t urgent_left;   /* of the last on_urgent */
	uint32_t received;      /* bytes */
	uint32_t acked;         /* sum of on_sent */
	uint32_t wrote;         /* bytes that the stack took */
	/* Called at the end of each callback, if set; may call the stack. */
	void (*hook)(struct app *app, enum app_event event);
	bool echo;              /* every buffer that comes is sent back */
};

extern struct app apps[APPS]; /* in the order of opening: by connects(), or by on_open of a child */
extern struct app *app;       /* the one spoken of: the first, unless a test says otherwise */
extern unsigned int apps_count;
extern const struct rill_handler app_handler;

/* Given to each connection that opens from now on. */
extern void (*app_default_hook)(struct app *app, enum app_event event);

/* rill_lane_listen on LANE_PORT. */
struct rill_listener *listens(void);
struct rill_listener *listens_with(const struct rill_options *options);
/* rill_connect from LANE_ACTIVE_PORT + flow number to the peer's flow; returns the app. */
struct app *connects(void);
struct app *connects_with(const struct rill_options *options);
/* What rill_connect would return; NULL: as connects(). Its app is the last one, if it returns 0. */
int tries_to_connect(const struct rill_endpoint *local, const struct rill_endpoint *remote,
	const struct rill_options *options);
/* Each fails the test if the stack refuses. writes: rill_write; sends: rill_send, without a copy. */
void writes(uint32_t len);
void sends(uint32_t len);
void shuts_down(void);
void closes(void);
void aborts(void);
void pauses(void);
void resumes(void);
void sets(enum rill_option option, int32_t value);
/* A buffer of the lane with pattern bytes from relative sequence number seq. */
struct rte_mbuf *app_buffer(uint32_t seq, uint32_t len);
/* What rill_write would return; takes what it takes. */
int tries_to_write(uint32_t len);
/* The dialogue may have URG from the lane. */
void writes_urgent(uint32_t len);

#define expect_received(bytes_) check_equal(app->received, (bytes_))
#define expect_opened() check_equal(app->opened, 1)
#define expect_eof() check_equal(app->eofs, 1)
#define expect_no_eof() check_equal(app->eofs, 0)
#define expect_alive() check_equal(app->closed, 0)
#define expect_closed(why_)                                                                        \
	(check_equal(app->closed, 1), check_equal(app->why, RILL_CLOSE_##why_))

#endif
