#pragma once
// What could be a token's id.

#include <string_view>

namespace tailrace {

/// `t.<uuid>`, by its length and beginning. What looks like a token is treated as one, a secret, even where
/// none of that name exists.
inline bool looks_like_token(std::string_view text) {
  return text.size() == 38 && text[0] == 't' && text[1] == '.';
}

}  // namespace tailrace
