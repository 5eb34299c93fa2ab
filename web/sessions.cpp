#include "web/sessions.h"

#include "base/ids.h"

namespace tailrace {

std::optional<std::string> Sessions::create(TailQuery query, Mono now) {
  std::string id = new_uuid();
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= kMost) sweep_locked(now);
  if (sessions_.size() >= kMost) return std::nullopt;
  sessions_[id] =
      std::make_shared<Session>(Session{.query = std::move(query), .readers = 0, .ends = now + kLife});
  return id;
}

std::optional<Sessions::Reading> Sessions::open(std::string_view id, Mono now) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return std::nullopt;
  Session& session = *found->second;
  if ((session.readers == 0 && now >= session.ends) || session.query.channel->removed) return std::nullopt;
  ++session.readers;
  return Reading(*this, found->second);
}

void Sessions::leave(Session& session, std::unique_ptr<Cursor> place) {
  const std::lock_guard lock(mutex_);
  const Mono now = mono_now();
  if (place) {
    session.place = std::move(place);
    session.ends = session.place_ends = now + kPlaceLife;
  }
  --session.readers;
  session.ends = std::max(session.ends, now + kLife);
}

void Sessions::give_up_place(Session& session) {
  const std::lock_guard lock(mutex_);
  session.place = nullptr;
}

void Sessions::sweep(Mono now) {
  const std::lock_guard lock(mutex_);
  if (now < next_sweep_) return;
  next_sweep_ = now + std::chrono::seconds(10);
  sweep_locked(now);
}

void Sessions::sweep_locked(Mono now) {
  for (const auto& [id, session] : sessions_)
    if (session->place && now >= session->place_ends) session->place = nullptr;
  std::erase_if(sessions_, [&](const auto& item) {
    const Session& session = *item.second;
    return session.readers == 0 && (now >= session.ends || session.query.channel->removed);
  });
}

size_t Sessions::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace tailrace
