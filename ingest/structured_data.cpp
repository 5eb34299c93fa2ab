#include "ingest/structured_data.h"

#include <algorithm>
#include <cstring>

#include "ingest/token_id.h"

namespace tailrace {
namespace {

constexpr std::string_view kOwnId = "tailrace@32473";  // RFC 5612's number for examples
constexpr std::string_view kTokenName = "token";

bool names_token(std::string_view id) {
  return looks_like_token(id.substr(0, id.find('@')));
}

/// One SD-ELEMENT after the other, as they stand: `[ID NAME="VALUE" …]`.
class Elements {
 public:
  explicit Elements(std::string_view sd) : rest_(sd) {}

  struct Element {
    std::string_view id;
    std::string_view params;  // with the blank before each
  };
  bool next(Element& out) {
    if (!rest_.starts_with('[')) return false;
    size_t at = std::min(rest_.find_first_of(" ]", 1), rest_.size());
    out.id = rest_.substr(1, at - 1);
    const size_t params = at;
    // The `]` that ends it stands outside of every value.
    for (bool value = false; at < rest_.size() && (value || rest_[at] != ']'); ++at) {
      if (rest_[at] == '\\' && value)
        ++at;
      else if (rest_[at] == '"')
        value = !value;
    }
    at = std::min(at, rest_.size());
    out.params = rest_.substr(params, at - params);
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return true;
  }

 private:
  std::string_view rest_;
};

/// One SD-PARAM after the other.
class Params {
 public:
  explicit Params(std::string_view params) : rest_(params) {}

  struct Param {
    std::string_view whole;  // with the blank before it
    std::string_view name;
    std::string_view value;  // as written, escapes included (RFC 5424 section 6.3.3)
  };
  bool next(Param& out) {
    const size_t equals = rest_.find('=');
    if (!rest_.starts_with(' ') || equals == rest_.npos) return false;
    out.name = rest_.substr(1, equals - 1);
    const size_t begin = std::min(equals + 2, rest_.size());
    size_t at = begin;
    for (; at < rest_.size() && rest_[at] != '"'; ++at)
      if (rest_[at] == '\\') ++at;
    at = std::min(at, rest_.size());
    out.value = rest_.substr(begin, at - begin);
    out.whole = rest_.substr(0, std::min(at + 1, rest_.size()));
    rest_.remove_prefix(out.whole.size());
    return true;
  }

 private:
  std::string_view rest_;
};

/// Whether an element may carry a token; cheap, and sometimes wrongly yes.
bool has_candidate(std::string_view sd) {
  static_assert(kOwnId.starts_with('t'));
  return sd.find("[t") != sd.npos;
}

}  // namespace

SdTokens find_tokens(std::string_view sd) {
  SdTokens found;
  if (sd.size() <= 1 || !has_candidate(sd)) return found;
  Elements elements(sd);
  for (Elements::Element element; elements.next(element);) {
    if (names_token(element.id)) {
      found.remove = true;
      if (found.id.empty()) found.id = element.id.substr(0, element.id.find('@'));
    } else if (element.id == kOwnId) {
      Params params(element.params);
      for (Params::Param param; params.next(param);) {
        if (param.name != kTokenName) continue;
        found.remove = true;
        if (found.id.empty() && looks_like_token(param.value)) found.id = param.value;
      }
    }
  }
  return found;
}

std::string_view without_tokens(std::string_view sd, Arena& arena) {
  char* const begin = arena.take(sd.size());
  char* to = begin;
  const auto put = [&to](std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  };
  Elements elements(sd);
  for (Elements::Element element; elements.next(element);) {
    if (names_token(element.id)) continue;
    char* const start = to;
    put("[");
    put(element.id);
    char* const named = to;
    if (element.id == kOwnId) {
      Params params(element.params);
      for (Params::Param param; params.next(param);)
        if (param.name != kTokenName) put(param.whole);
    } else {
      put(element.params);
    }
    if (element.id == kOwnId && to == named)
      to = start;
    else
      put("]");
  }
  const auto size = size_t(to - begin);
  arena.give_back(sd.size() - size);
  return size ? std::string_view(begin, size) : "-";
}

}  // namespace tailrace
