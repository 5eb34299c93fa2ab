#pragma once
// The requests of one HTTP drain: Logplex's POST byte for byte, and what its options add.

#include <memory>
#include <string>

#include "drains/delivery.h"
#include "drains/options.h"
#include "drains/target.h"
#include "net/http_body.h"

namespace tailrace {

/// Immutable. `target` and `options` outlive it.
class RequestMaker {
 public:
  RequestMaker(const DrainTarget& target, const DrainOptions& options, std::string drain_token)
      : target_(target), options_(options), drain_token_(std::move(drain_token)) {}

  /// The L10 frame of a loss, as the first of a batch.
  std::string loss(const Loss& loss, Micros now) const;

  /// From its beginning. Refers to `batch`; its frames are made while they are sent, but for a body that is
  /// compressed or signed.
  std::unique_ptr<HttpBody> body(const Delivery& batch) const;
  /// Of a body that nothing was taken from. `now` is when it is signed.
  std::string head(const Delivery& batch, const HttpBody& body, Micros now) const;

 private:
  const DrainTarget& target_;
  const DrainOptions& options_;
  const std::string drain_token_;
};

}  // namespace tailrace
