#pragma once
// Readers' sessions: an unguessable URL for what somebody who may read asked for.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "channels/cursor.h"
#include "web/tail_query.h"

namespace tailrace {

/// Thread-safe. A session lasts 5 minutes from its creation, or from when its last reader left; an hour if
/// that one left his place here, which keeps what he has not received.
class Sessions {
 public:
  static constexpr auto kLife = std::chrono::minutes(5);
  static constexpr auto kPlaceLife = std::chrono::hours(1);
  static constexpr size_t kMost = 100'000;

  /// The new session's uuid; none when there are too many.
  std::optional<std::string> create(TailQuery query, Mono now = mono_now());

  struct Session {
    const TailQuery query;
    int readers = 0;
    Mono ends;
    std::unique_ptr<Cursor> place = {};  // the last reader's who left one
    Mono place_ends = {};
  };
  /// One reader's hold on a session; while it lives, the session does.
  class Reading {
   public:
    Reading(Sessions& sessions, std::shared_ptr<Session> session)
        : sessions_(&sessions), session_(std::move(session)) {}
    Reading(Reading&&) noexcept = default;
    ~Reading() {
      if (session_) sessions_->leave(*session_, std::move(place_));
    }
    const TailQuery& query() const { return session_->query; }

    /// The reader has come back, and has a cursor of his own: what was kept for him is his cursor's business.
    void came_back() { sessions_->give_up_place(*session_); }
    /// He may come back for what lies behind `place`.
    void leave_place(std::unique_ptr<Cursor> place) { place_ = std::move(place); }

   private:
    Sessions* sessions_;
    std::shared_ptr<Session> session_;
    std::unique_ptr<Cursor> place_;
  };
  /// None if there is no such session, or no more.
  std::optional<Reading> open(std::string_view id, Mono now = mono_now());

  size_t size() const;

  /// Lets go of what is over; to be called now and then.
  void sweep(Mono now);

 private:
  void leave(Session& session, std::unique_ptr<Cursor> place);
  void give_up_place(Session& session);
  void sweep_locked(Mono now);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions_;
  Mono next_sweep_{};
};

}  // namespace tailrace
