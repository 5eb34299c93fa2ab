#pragma once
// Reading a request's JSON without exceptions: bad JSON, a wrong type and a missing field are values.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace {

/// The body as an object; an empty body is an empty object. None if it is anything else.
std::optional<nlohmann::json> json_object(std::string_view body);

/// The field as text; a whole number is taken as its digits. None if it is absent or null; `wrong` is set if
/// it is of another type.
std::optional<std::string> text_field(const nlohmann::json& object, const char* name, bool& wrong);

/// An object's fields, each of a type. What is absent or null is none; of those that are wrong the first is
/// told, as `NAME: takes …`.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  std::optional<std::string> text(const char* name);
  /// A whole number is taken as its digits.
  std::optional<std::string> text_or_number(const char* name);
  /// As such or as its digits.
  std::optional<uint64_t> whole_number(const char* name);
  std::optional<bool> flag(const char* name);
  std::optional<std::vector<std::string>> texts(const char* name);

  void refuse(std::string why) {
    if (error_.empty()) error_ = std::move(why);
  }
  bool good() const { return error_.empty(); }
  const std::string& error() const { return error_; }

 private:
  const nlohmann::json* find(const char* name) const;

  const nlohmann::json& object_;
  std::string error_;
};

/// JSON that is never refused for its bytes: invalid UTF-8 becomes U+FFFD.
std::string dumped(const nlohmann::json& value);

/// A name people may give to a channel or a token: 1 to 255 bytes, no blanks at its ends, no control
/// characters.
bool good_name(std::string_view name);
inline constexpr std::string_view kGoodName =
    "takes 1 to 255 bytes without control characters or blanks at its ends";
/// The name of a token, which stands in a syslog header: no blanks at all, 48 bytes at most (RFC 5424 section
/// 6).
bool good_token_name(std::string_view name);
inline constexpr std::string_view kGoodTokenName = "takes 1 to 48 bytes without blanks or control characters";
/// An id that somebody chose for a channel: 1 to 255 bytes of UTF-8 that can stand in a path.
bool good_channel_id(std::string_view id);

}  // namespace tailrace
