/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "http.h"

bool
http_is_tchar(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static uint32_t
word(const char *line, uint32_t len)
{
	const char *space = memchr(line, ' ', len);

	return space != NULL ? (uint32_t)(space - line) : len;
}

/* method SP request-target SP HTTP-version [9112 3]. */
uint16_t
http_line_status(const char *line, uint32_t len)
{
	uint32_t n;

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	for (int i = 0; i < 2; i++) {
		n = word(line, len);
		/* The method may have been read already, but for nothing: "" is its end. */
		if (n == len || (i == 1 && n == 0))
			return HTTP_STATUS_BAD_REQUEST;
		line += n + 1;
		len -= n + 1;
	}
	if (len != 8 || memcmp(line, "HTTP/", 5) != 0 || !isdigit((unsigned char)line[5]) ||
		line[6] != '.' || !isdigit((unsigned char)line[7]))
		return HTTP_STATUS_BAD_REQUEST;
	return line[5] == '1' ? HTTP_STATUS_NOT_IMPLEMENTED : HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
http_list_ends_with(const char *value, uint32_t len, const char *token, bool *alone)
{
	size_t n = strlen(token);

	while (len > 0 && is_blank(value[len - 1]))
		len--;
	if (len < n || strncasecmp(value + len - n, token, n) != 0)
		return false;
	len -= (uint32_t)n;
	while (len > 0 && is_blank(value[len - 1]))
		len--;
	*alone = len == 0;
	return len == 0 || value[len - 1] == ',';
}
