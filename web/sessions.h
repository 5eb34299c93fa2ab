#pragma once
// Readers' sessions: an unguessable URL for what somebody who may read asked for.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "channels/catalog.h"
#include "web/tail_filter.h"

namespace tailrace {

/// What a session shows.
struct TailQuery {
  ChannelPtr channel{};
  uint64_t num = 100;  // newest records first shown, after the filters
  bool follow = false;
  TailFilterPtr filter{};
};

/// Thread-safe. A session lasts 5 minutes from its creation, or from when its last reader left.
class Sessions {
 public:
  static constexpr auto kLife = std::chrono::minutes(5);
  static constexpr size_t kMost = 100'000;

  /// The new session's uuid; none when there are too many.
  std::optional<std::string> create(TailQuery query, Mono now = mono_now());

  struct Session {
    TailQuery query;
    int readers = 0;
    Mono ends;
  };
  /// One reader's hold on a session; while it lives, the session does.
  class Reading {
   public:
    Reading(Sessions& sessions, std::shared_ptr<Session> session)
        : sessions_(&sessions), session_(std::move(session)) {}
    Reading(Reading&&) noexcept = default;
    ~Reading() {
      if (session_) sessions_->leave(*session_);
    }
    const TailQuery& query() const { return session_->query; }

   private:
    Sessions* sessions_;
    std::shared_ptr<Session> session_;
  };
  /// None if there is no such session, or no more.
  std::optional<Reading> open(std::string_view id, Mono now = mono_now());

 private:
  void leave(Session& session);
  void sweep(Mono now);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions_;
  Mono next_sweep_{};
};

}  // namespace tailrace
