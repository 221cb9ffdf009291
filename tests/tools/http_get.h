/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TOOLS_HTTP_GET_H
#define RILL_TOOLS_HTTP_GET_H

/*
 * An HTTP client on Rill, for rill-echo's http: each connection asks for a page by GET, and, over the same
 * connection, sends a body by POST and has it back. That the status is 200, that Content-Length is there
 * and is the body's length, that the page begins with the request and the body is the one that was sent,
 * and that the server ends the connection when it was asked to, is looked at every time.
 */

struct rill_stack;

/* Brings it up with these arguments (argv[0] is a name). NULL after a sentence on stderr. */
struct rill_stack *http_get_open(int argc, char *argv[]);

/* Until all has been asked, or time is over. Returns 0, or a negative errno after a sentence on stderr. */
int http_get_run(void);

/* Says what was done. Returns the exit status: 0 if all was as it should be. */
int http_get_close(int rc);

#endif
