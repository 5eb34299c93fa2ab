#pragma once
// Which records a reader wants.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channels/record_filter.h"
#include "drains/expression.h"

namespace tailrace {

/// What a reader asks for, as he wrote it. What is empty asks for nothing.
struct TailWishes {
  std::string ps{};                    // `web` is `web` and `web.1`, not `webhook.1`
  std::string source{};                // APP
  std::string severity{};              // this one or worse, by name or number
  std::vector<std::string> grep{};     // the message matches all of these
  std::vector<std::string> exclude{};  // and none of these
  std::string filter{};                // docs/drains.md
};

struct ParsedTailFilter;

/// All of a reader's wishes; a record that fails one is not his. Immutable; any thread.
class TailFilter final : public RecordFilter {
 public:
  /// Texts of 4 KiB together at most, grep and exclude 8 expressions together; `filter` has its own bounds.
  static ParsedTailFilter parse(const TailWishes& wishes);

  bool wants(const Record& record) const override;
  double dearest() const override;

  /// Filters with the same key want the same records.
  const std::string& key() const { return key_; }

 private:
  using Expressions = std::vector<std::shared_ptr<const Expression>>;
  TailFilter() = default;

  std::string ps_, source_, key_;
  int least_severity_ = 7;
  RecordFilterPtr terms_;  // null: none
  Expressions grep_, exclude_;
};
using TailFilterPtr = std::shared_ptr<const TailFilter>;  // null: it wants all

struct ParsedTailFilter {
  TailFilterPtr filter;  // null: it wants all, or there is an error
  std::string error;     // begins with the field's name, `grep: missing ): (`; empty: there is none
};

}  // namespace tailrace
