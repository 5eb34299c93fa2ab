#pragma once
// Finding things in messages: a text, a key=value pair.

#include <optional>
#include <string_view>

namespace tailrace {

/// Where `needle` (not empty) begins in `text`, from `from` on; npos if nowhere.
size_t find_text(std::string_view text, std::string_view needle, size_t from = 0);

/// The value of the pair that begins with `key`, `status=`, whose name has neither a blank nor a quote. Pairs
/// are what metrics/lines/router_line.h says, rules 1 to 5: the name begins a token outside quotes; a value
/// in quotes reaches to the quote that closes it and is given without them, escapes as they stand; behind a
/// quote that never closes nothing counts; the first pair of a name wins.
std::optional<std::string_view> find_pair(std::string_view text, std::string_view key);

/// Where the quote is that closes the one before `at`: the next with an even number of backslashes before it
/// (none before `at`); npos if there is none.
size_t closing_quote(std::string_view text, size_t at);

}  // namespace tailrace
