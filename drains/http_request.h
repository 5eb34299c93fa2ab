#pragma once
// The requests of one HTTP drain: Logplex's POST byte for byte, and what its options add.

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "base/loops.h"
#include "drains/delivery.h"
#include "drains/frames.h"
#include "drains/options.h"
#include "drains/target.h"
#include "net/http_body.h"

namespace tailrace {

/// Immutable. `target` and `options` outlive it.
class RequestMaker {
 public:
  RequestMaker(const DrainTarget& target, const DrainOptions& options, std::string drain_token)
      : target_(target),
        options_(options),
        drain_token_(std::move(drain_token)),
        frames_(Frames::body(options.format)) {}

  /// The L10 frame of a loss, as the first of a batch.
  std::string loss(const Loss& loss, Micros now) const;
  /// It tells losses of one kind.
  bool tells_kinds_apart() const { return options_.sender.has_value(); }

  /// From its beginning. Refers to `batch`, whose frames are made while they are sent; but a body that is
  /// compressed or signed is made here, while others on the loop have their turn in between.
  asio::awaitable<std::unique_ptr<HttpBody>> body(const Delivery& batch) const;
  /// Of a body that nothing was taken from. `now` is when it is signed.
  std::string head(const Delivery& batch, const HttpBody& body, Micros now) const;

 private:
  std::string names(const Delivery& batch) const;
  std::string signature(const Delivery& batch, const HttpBody& body, Micros now) const;

  const DrainTarget& target_;
  const DrainOptions& options_;
  const std::string drain_token_;
  const Frames frames_;
};

}  // namespace tailrace
