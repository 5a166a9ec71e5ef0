#pragma once
// Later releases call for a poll thread of their own instead of `ares_process_fd`: here the caller waits.
#define CARES_NO_DEPRECATED
#include <ares.h>

// Macros in some releases of c-ares, cases of an enum in others.
static const int gh_ares_no_data = ARES_ENODATA;
static const int gh_ares_not_found = ARES_ENOTFOUND;
static const int gh_ares_connection_refused = ARES_ECONNREFUSED;
static const int gh_ares_timeout = ARES_ETIMEOUT;
static const int gh_ares_cancelled = ARES_ECANCELLED;
// A macro that may hold a cast.
static const ares_socket_t gh_ares_no_socket = ARES_SOCKET_BAD;
