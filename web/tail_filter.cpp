#include "web/tail_filter.h"

#include <algorithm>

#include "base/text.h"
#include "drains/filter.h"

namespace tailrace {
namespace {

constexpr size_t kMostBytes = 4096, kMostExpressions = 8;

/// What a reader of the line sees of it.
std::string_view shown_message(const Record& record) {
  std::string_view message = record.message();
  if (message.ends_with('\n')) message.remove_suffix(1);
  return message;
}

/// A list is the same list whatever its order.
std::vector<std::string> in_order(std::vector<std::string> list) {
  std::erase(list, std::string());
  std::ranges::sort(list);
  list.erase(std::ranges::unique(list).begin(), list.end());
  return list;
}

/// Texts with their names and sizes, so that no two lists of wishes give the same.
class Key {
 public:
  void add(char name, std::string_view text) {
    if (text.empty()) return;
    (((key_ += name) += std::to_string(text.size())) += ':') += text;
  }
  std::string take() { return std::move(key_); }

 private:
  std::string key_;
};

}  // namespace

ParsedTailFilter TailFilter::parse(const TailWishes& wishes) {
  const auto failed = [](const char* field, const std::string& what) {
    return ParsedTailFilter{nullptr, std::string(field) + ": " + what};
  };
  size_t bytes = 0;
  const auto too_long = [&bytes](const std::string& text) { return (bytes += text.size()) > kMostBytes; };
  const std::string long_error = "filters take 4K together at most";

  auto made = std::shared_ptr<TailFilter>(new TailFilter);
  Key key;
  if (too_long(wishes.ps)) return failed("ps", long_error);
  key.add('p', made->ps_ = wishes.ps);
  if (too_long(wishes.source)) return failed("source", long_error);
  key.add('s', made->source_ = wishes.source);
  if (!wishes.severity.empty()) {
    const std::optional<int> severity = parse_severity(wishes.severity);
    if (!severity) return failed("severity", "takes a name such as warning, or a number from 0 to 7");
    made->least_severity_ = *severity;
    if (*severity < 7) key.add('v', std::to_string(*severity));
  }

  Expression::Room room;
  size_t expressions = 0;
  const auto compile = [&](const char* field, const std::vector<std::string>& list, Expressions& into) {
    for (const std::string& text : in_order(list)) {
      if (too_long(text)) return failed(field, long_error);
      if (++expressions > kMostExpressions) return failed(field, "8 expressions at most, with exclude");
      if (!is_utf8(text)) return failed(field, "takes UTF-8");
      auto [expression, error] = Expression::parse(text, room);
      if (!expression) return failed(field, is_utf8(error) ? error : "no expression");
      into.push_back(std::move(expression));
      key.add(field[0], text);
    }
    return ParsedTailFilter{};
  };
  for (auto& refused :
       {compile("grep", wishes.grep, made->grep_), compile("exclude", wishes.exclude, made->exclude_)})
    if (!refused.error.empty()) return refused;

  if (!wishes.filter.empty()) {
    if (too_long(wishes.filter)) return failed("filter", long_error);
    ParsedFilter terms = parse_filter(wishes.filter);
    if (!terms.filter) return {nullptr, std::move(terms.error)};
    made->terms_ = std::move(terms.filter);
    key.add('f', wishes.filter);
  }
  made->key_ = key.take();
  if (made->key_.empty()) return {};
  return {std::move(made), {}};
}

bool TailFilter::wants(const Record& record) const {
  if (record.severity() > least_severity_) return false;
  if (!source_.empty() && record.app() != source_) return false;
  if (!ps_.empty()) {
    const std::string_view procid = record.procid();
    if (!procid.starts_with(ps_)) return false;
    if (procid.size() != ps_.size() && procid[ps_.size()] != '.') return false;
  }
  if (terms_ && !terms_->wants(record)) return false;
  const std::string_view message = shown_message(record);
  const auto matches = [&](const auto& expression) { return expression->matches(message); };
  return std::ranges::all_of(grep_, matches) && std::ranges::none_of(exclude_, matches);
}

double TailFilter::dearest() const {
  return (terms_ ? terms_->dearest() : 0) + 2.2 * double(grep_.size() + exclude_.size());
}

}  // namespace tailrace
