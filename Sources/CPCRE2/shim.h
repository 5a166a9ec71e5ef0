#pragma once
// The library's names are macros over a code unit's width, which Swift cannot see: 8 bits here.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

// PCRE2_UNSET is a macro with a cast.
static const size_t gh_pcre2_unset = PCRE2_UNSET;
