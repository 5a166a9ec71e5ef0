// What a static program must not do: load plugins of the C library's build from wherever it runs.
// Linked before libc.a, so that its versions of these, and the loader behind them, stay out.
// Nothing of ours calls them: names are looked up by c-ares (Names/NameLookup.swift). Left are
// paths in OpenSSL, c-ares and Swift's runtime that are not taken, or that go on without an answer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict list) {
  (void)node, (void)service, (void)hints;
  *list = NULL;
  return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *list) { (void)list; }

int getnameinfo(const struct sockaddr *restrict address, socklen_t size, char *restrict host,
                socklen_t host_size, char *restrict service, socklen_t service_size, int flags) {
  (void)address, (void)size, (void)host, (void)host_size, (void)service, (void)service_size,
      (void)flags;
  return EAI_FAIL;
}

struct hostent *gethostbyname(const char *name) {
  (void)name;
  h_errno = NO_RECOVERY;
  return NULL;
}

struct servent *getservbyname(const char *name, const char *protocol) {
  (void)name, (void)protocol;
  return NULL;
}

int getservbyport_r(int port, const char *protocol, struct servent *result, char *buffer,
                    size_t size, struct servent **found) {
  (void)port, (void)protocol, (void)result, (void)buffer, (void)size;
  *found = NULL;
  return 0;
}

void *dlopen(const char *file, int mode) {
  (void)file, (void)mode;
  return NULL;
}

void *dlsym(void *restrict handle, const char *restrict name) {
  (void)handle, (void)name;
  return NULL;
}

// Swift's runtime asks where it is, to find a helper beside it, and takes no answer as a reason to
// end; libc's version knows nothing in a static program. The file is all there is, so this is true.
extern const char __ehdr_start;
int dladdr(const void *address, Dl_info *information) {
  (void)address;
  *information = (Dl_info){.dli_fname = "/gatehouse-toold", .dli_fbase = (void *)&__ehdr_start};
  return 1;
}

int dlclose(void *handle) {
  (void)handle;
  return -1;
}

char *dlerror(void) { return "this program is static and loads nothing"; }

// PCRE2's compiler to machine code, which Deploy/build-daemon takes out of the archive: no pattern of ours
// is handed to it, so these, which the rest of PCRE2 mentions, are never called.
#define UNUSED(name) \
  void name(void) { abort(); }
// OpenSSL's for AES-CBC with HMAC, in TLS 1.1 and 1.2; the daemon speaks 1.3 only.
UNUSED(sha1_multi_block)
UNUSED(sha256_multi_block)
UNUSED(pcre2_jit_match_8)
UNUSED(_pcre2_jit_check_exec_8)
UNUSED(_pcre2_jit_free_8)
UNUSED(_pcre2_jit_get_size_8)
UNUSED(_pcre2_jit_get_target_8)

// The same ciphers, one buffer at a time: OpenSSL asks this one whether it can, and it cannot.
int aesni_cbc_sha256_enc(void) { return 0; }
UNUSED(aesni_cbc_sha1_enc)

// P-224 and P-521 by OpenSSL's code for any curve, in place of code of their own: slower, and seldom met.
// P-256 has a second one, in assembly, which is the one that is used.
extern const void *EC_GFp_mont_method(void);
const void *EC_GFp_nistp224_method(void) { return EC_GFp_mont_method(); }
const void *EC_GFp_nistp256_method(void) { return EC_GFp_mont_method(); }
const void *EC_GFp_nistp521_method(void) { return EC_GFp_mont_method(); }
UNUSED(EC_nistp224_pre_comp_dup)
UNUSED(EC_nistp256_pre_comp_dup)
UNUSED(EC_nistp256_pre_comp_free)
UNUSED(EC_nistp224_pre_comp_free)
UNUSED(EC_nistp521_pre_comp_dup)
UNUSED(EC_nistp521_pre_comp_free)
