#pragma once
// libcurl, with what Swift cannot call beside its reason.
#include <curl/curl.h>

// `curl_easy_setopt` is variadic, and curl reads the argument by the option's
// kind: one function for each kind of argument, so that a wrong one doesn't compile.
static inline CURLcode gh_curl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gh_curl_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gh_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gh_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}

// HTTP and HTTPS only. What libcurl calls it from 7.85 on, and before (Ubuntu 22.04).
static inline CURLcode gh_curl_set_http_only(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

typedef size_t (*gh_curl_sink)(char *bytes, size_t size, size_t count, void *user);

static inline CURLcode gh_curl_set_sink(CURL *easy, CURLoption option, gh_curl_sink sink) {
  return curl_easy_setopt(easy, option, sink);
}

// Copies the body, so that the caller's memory may go.
static inline CURLcode gh_curl_set_body(CURL *easy, const char *bytes, curl_off_t count) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, count);
  return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

// `curl_easy_getinfo` is variadic too.
static inline CURLcode gh_curl_status(CURL *easy, long *status) {
  return curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
}

// `CURLMsg` ends in a union. Returns a finished transfer and its result, or NULL.
static inline CURL *gh_curl_next_finished(CURLM *multi, CURLcode *result) {
  int left;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    *result = message->data.result;
    return message->easy_handle;
  }
  return NULL;
}

// Macros with casts in them, which Swift doesn't import.
static const long gh_curl_http_2_tls = CURL_HTTP_VERSION_2TLS;
static const long gh_curl_global_all = CURL_GLOBAL_ALL;
static const size_t gh_curl_pause = CURL_WRITEFUNC_PAUSE;
