#include "web/json_body.h"

#include <algorithm>

#include "base/text.h"

namespace tailrace {

std::optional<nlohmann::json> json_object(std::string_view body) {
  if (body.empty()) return nlohmann::json::object();
  // The parser recurses over depth; no request of ours is nested.
  const auto opened = std::ranges::count_if(body, [](char c) { return c == '[' || c == '{'; });
  if (opened > 1000) return std::nullopt;
  nlohmann::json value = nlohmann::json::parse(body, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

std::optional<std::string> text_field(const nlohmann::json& object, const char* name, bool& wrong) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_unsigned()) return std::to_string(found->get<uint64_t>());
  wrong = true;
  return std::nullopt;
}

const nlohmann::json* JsonFields::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> JsonFields::text(const char* name) {
  const nlohmann::json* const value = find(name);
  if (!value) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  refuse(std::string(name) + ": takes a text");
  return std::nullopt;
}

std::optional<std::string> JsonFields::text_or_number(const char* name) {
  const nlohmann::json* const value = find(name);
  return value && value->is_number_unsigned() ? std::to_string(value->get<uint64_t>()) : text(name);
}

std::optional<uint64_t> JsonFields::whole_number(const char* name) {
  const nlohmann::json* const value = find(name);
  if (!value) return std::nullopt;
  if (value->is_number_unsigned()) return value->get<uint64_t>();
  const auto number = value->is_string() ? parse_u64(value->get_ref<const std::string&>()) : std::nullopt;
  if (!number) refuse(std::string(name) + ": takes a whole number");
  return number;
}

std::optional<bool> JsonFields::flag(const char* name) {
  const nlohmann::json* const value = find(name);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  refuse(std::string(name) + ": takes true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string>> JsonFields::texts(const char* name) {
  const nlohmann::json* const value = find(name);
  if (!value) return std::nullopt;
  const auto is_text = [](const nlohmann::json& one) { return one.is_string(); };
  if (value->is_array() && std::ranges::all_of(*value, is_text))
    return value->get<std::vector<std::string>>();
  refuse(std::string(name) + ": takes a list of texts");
  return std::nullopt;
}

std::string dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool good_name(std::string_view name) {
  const auto control = [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; };
  return !name.empty() && name.size() <= 255 && name.front() != ' ' && name.back() != ' ' &&
         std::ranges::none_of(name, control);
}

bool good_channel_id(std::string_view id) {
  return good_name(id) && is_utf8(id) && id != "." && id != "..";
}

bool good_token_name(std::string_view name) {
  return good_name(name) && name.size() <= 48 && name.find(' ') == name.npos;
}

}  // namespace tailrace
