#pragma once
// Tokens in STRUCTURED-DATA: `[tailrace@32473 token="t.<uuid>"]`, or an element named `t.<uuid>@32473`.
//
// A token lets its holder write, so it never reaches a reader or a drain: what find_tokens() reports is to be
// stored by what without_tokens() leaves.

#include <string_view>

#include "base/arena.h"

namespace tailrace {

struct SdTokens {
  std::string_view id;  // the first that looks like a token's id; empty if none does
  bool remove = false;  // something must not be stored: a token, or what stands in a token's place
};

/// `sd` is well-formed, as parse_rfc5424 gives it. Nearly free if it is `-`.
SdTokens find_tokens(std::string_view sd);

/// `sd` without the elements named by a token, and without each `token` of the elements `tailrace@32473`,
/// whatever its value; if such an element has nothing else it goes too. `-` if nothing is left. Lives as long
/// as `sd` and what the arena gave.
std::string_view without_tokens(std::string_view sd, Arena& arena);

}  // namespace tailrace
