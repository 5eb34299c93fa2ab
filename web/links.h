#pragma once
// Links: one query, signed, for whoever has it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "web/metrics_chart.h"
#include "web/time_query.h"

namespace tailrace {

/// What a link says. Anybody who has it can read all of this.
struct Link {
  uint32_t channel = 0;    // Channel::index, which no channel made later has
  std::string channel_id;  // to find it by
  std::string credential;  // the id of who made it
  Micros expires = 0;      // whole seconds
  TimeTexts time;          // judged when it is opened
  std::vector<std::string> names, sources;
  std::vector<Figure> show;
};

/// Its text is the base64url of what it says, one way to write each link, and of a HMAC-SHA256 over that and
/// the hash of its maker's password: so it ends with the credential, also if somebody makes another with the
/// same id. Nothing is kept of a link. Immutable.
class Links {
 public:
  static constexpr size_t kMostBytes = 2048;  // of what it says
  /// A secret of 32 bytes that is used for nothing else.
  explicit Links(std::string key) : key_(std::move(key)) {}

  /// None: it says too much.
  std::optional<std::string> sign(const Link& link, std::string_view password_hash) const;

  /// Of a credential's id; none: there is no such credential.
  using HashOf = std::function<std::optional<std::string>(std::string_view id)>;
  enum class Verdict : uint8_t { good, over, unknown };
  struct Opened {
    Verdict verdict = Verdict::unknown;
    Link link;  // of what is not unknown
  };
  /// Whether we signed it, and it goes on. That its maker may still read the channel, and that the channel is
  /// still there, is the caller's to judge.
  Opened open(std::string_view text, const HashOf& hash_of, Micros now) const;

 private:
  std::string mac(std::string_view said, std::string_view password_hash) const;

  const std::string key_;
};

}  // namespace tailrace
