#include "web/sessions.h"

#include "base/ids.h"

namespace tailrace {

std::optional<std::string> Sessions::create(TailQuery query, Mono now) {
  std::string id = new_uuid();
  const std::lock_guard lock(mutex_);
  if (now >= next_sweep_ || sessions_.size() >= kMost) sweep(now);
  if (sessions_.size() >= kMost) return std::nullopt;
  sessions_[id] = std::make_shared<Session>(Session{std::move(query), 0, now + kLife});
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

void Sessions::leave(Session& session) {
  const std::lock_guard lock(mutex_);
  if (--session.readers == 0) session.ends = mono_now() + kLife;
}

void Sessions::sweep(Mono now) {
  next_sweep_ = now + std::chrono::seconds(10);
  std::erase_if(sessions_, [&](const auto& item) {
    const Session& session = *item.second;
    return session.readers == 0 && (now >= session.ends || session.query.channel->removed);
  });
}

}  // namespace tailrace
