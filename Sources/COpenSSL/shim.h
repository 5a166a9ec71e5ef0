#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Macros in OpenSSL's headers.
static inline void gh_ssl_ctx_set_min_version(SSL_CTX *context, int version) {
  SSL_CTX_set_min_proto_version(context, version);
}
static inline void gh_ssl_ctx_set_mode(SSL_CTX *context, long mode) {
  SSL_CTX_set_mode(context, mode);
  // On by default: it would take any number of records without data in one read.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}
static inline void gh_ssl_ctx_set_session_cache_off(SSL_CTX *context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline int gh_ssl_set_server_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline void gh_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void gh_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline int gh_ssl_ctx_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline uint64_t gh_ssl_hardening_options(void) {
  return SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
}
static inline int gh_x509_chain_count(const STACK_OF(X509) *chain) { return sk_X509_num(chain); }
static inline X509 *gh_x509_chain_at(const STACK_OF(X509) *chain, int index) {
  return sk_X509_value(chain, index);
}
// A macro of macros: how RFC 4514 writes a distinguished name.
static inline unsigned long gh_name_flags(void) { return XN_FLAG_RFC2253; }
