#include "web/json_body.h"

#include <algorithm>

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

std::string dumped(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool good_name(std::string_view name) {
  const auto control = [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; };
  return !name.empty() && name.size() <= 255 && name.front() != ' ' && name.back() != ' ' &&
         std::ranges::none_of(name, control);
}

bool good_token_name(std::string_view name) {
  return good_name(name) && name.size() <= 48 && name.find(' ') == name.npos;
}

}  // namespace tailrace
