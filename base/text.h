#pragma once
// Small things done with text that the standard library lacks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace {

/// ASCII only, as HTTP's field names are (RFC 9110 section 5.1).
bool iequals(std::string_view a, std::string_view b);

/// All of `text` as a decimal number; none if empty, signed, too large or anything else.
std::optional<uint64_t> parse_u64(std::string_view text);

/// RFC 4648 section 4, with padding. `from_base64` gives none for anything else.
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

/// `%41` becomes `A`; a `%` that is not followed by two hex digits stays as it is.
std::string percent_decoded(std::string_view text);

/// One path segment or query value, percent-encoded (RFC 3986 section 2.3).
std::string percent_encoded(std::string_view text);

/// RFC 3629: no surrogates, nothing over-long.
bool is_utf8(std::string_view text);

/// Time does not depend on where the first difference is; lengths may show.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Splits at `separator`, trims blanks, leaves out empty pieces.
template <class F>
void for_each_piece(std::string_view text, char separator, F&& use) {
  while (!text.empty()) {
    const size_t at = text.find(separator);
    std::string_view piece = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    while (!piece.empty() && (piece.front() == ' ' || piece.front() == '\t')) piece.remove_prefix(1);
    while (!piece.empty() && (piece.back() == ' ' || piece.back() == '\t')) piece.remove_suffix(1);
    if (!piece.empty()) use(piece);
  }
}

}  // namespace tailrace
