#pragma once
// The slow, obvious twin of the tokens in structured data: takes it apart into copies, and writes it again.

#include <string>
#include <string_view>
#include <vector>

#include "ingest/structured_data.h"

namespace tailrace {

struct SdResult {
  std::string id;
  bool remove = false;
  std::string left;
  bool operator==(const SdResult&) const = default;
};

inline SdResult strip(std::string_view sd) {
  Arena arena;
  const SdTokens tokens = find_tokens(sd);
  return {std::string(tokens.id), tokens.remove, std::string(tokens.remove ? without_tokens(sd, arena) : sd)};
}

/// `sd` is well-formed.
inline SdResult strip_slowly(const std::string& sd) {
  struct Param {
    std::string name, value;
  };
  struct Element {
    std::string id;
    std::vector<Param> params;
  };
  std::vector<Element> elements;
  size_t i = 0;
  const auto until = [&](const char* ends) {
    std::string text;
    while (std::string_view(ends).find(sd[i]) == std::string_view::npos) text += sd[i++];
    return text;
  };
  while (sd != "-" && i < sd.size()) {
    ++i;  // [
    Element element{until(" ]"), {}};
    while (sd[i] == ' ') {
      ++i;
      Param param{until("="), ""};
      for (i += 2; sd[i] != '"'; ++i) {
        param.value += sd[i];
        if (sd[i] == '\\') param.value += sd[++i];
      }
      ++i;  // "
      element.params.push_back(param);
    }
    ++i;  // ]
    elements.push_back(element);
  }
  const auto is_token = [](const std::string& text) { return text.size() == 38 && text.starts_with("t."); };
  SdResult result;
  const auto drop = [&](const std::string& text) {
    result.remove = true;
    if (result.id.empty() && is_token(text)) result.id = text;
  };
  for (const Element& element : elements) {
    const std::string name = element.id.substr(0, element.id.find('@'));
    if (is_token(name)) {
      drop(name);
      continue;
    }
    const bool own = element.id == "tailrace@32473";
    std::string params;
    for (const Param& param : element.params)
      if (own && param.name == "token")
        drop(param.value);
      else
        params += " " + param.name + "=\"" + param.value + "\"";
    if (!own || !params.empty()) result.left += "[" + element.id + params + "]";
  }
  if (!result.remove) result.left = sd;
  if (result.left.empty()) result.left = "-";
  return result;
}

}  // namespace tailrace
