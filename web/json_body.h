#pragma once
// Reading a request's JSON without exceptions: bad JSON, a wrong type and a missing field are values.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace {

/// The body as an object; an empty body is an empty object. None if it is anything else.
std::optional<nlohmann::json> json_object(std::string_view body);

/// The field as text; a whole number is taken as its digits. None if it is absent or null; `wrong` is set if
/// it is of another type.
std::optional<std::string> text_field(const nlohmann::json& object, const char* name, bool& wrong);

/// JSON that is never refused for its bytes: invalid UTF-8 becomes U+FFFD.
std::string dumped(const nlohmann::json& value);

/// A name people may give to a channel or a token: 1 to 255 bytes, no blanks at its ends, no control
/// characters.
bool good_name(std::string_view name);
/// The name of a token, which stands in a syslog header: no blanks at all, 48 bytes at most (RFC 5424 section
/// 6).
bool good_token_name(std::string_view name);

}  // namespace tailrace
