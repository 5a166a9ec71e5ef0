// Gives h2load a client certificate, which it has no option for: preloaded, this adds one to each
// TLS context it makes. `gatehouse-bench` compiles it when it runs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method) {
  SSL_CTX *(*make)(const SSL_METHOD *) = (SSL_CTX * (*)(const SSL_METHOD *)) dlsym(RTLD_NEXT, __func__);
  SSL_CTX *context = make(method);
  const char *chain = getenv("H2LOAD_CERTIFICATE"), *key = getenv("H2LOAD_KEY");
  if (context && chain && key &&
      SSL_CTX_use_certificate_chain_file(context, chain) == 1 &&
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1)
    return context;
  fputs("H2LOAD_CERTIFICATE and H2LOAD_KEY must name a certificate chain and its key\n", stderr);
  exit(1);
}
