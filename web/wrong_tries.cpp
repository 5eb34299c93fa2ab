#include "web/wrong_tries.h"

#include <algorithm>

namespace tailrace {

std::chrono::nanoseconds WrongTries::take(const asio::ip::address& from, Mono now) {
  const Key key = key_of(from);
  const std::lock_guard lock(mutex_);
  if (tries_.size() >= kAddresses && !tries_.contains(key)) make_room(now);
  std::vector<Mono>& tries = tries_[key];
  std::erase_if(tries, [&](Mono at) { return at + kWithin <= now; });
  if (tries.size() >= kMost) return tries.front() + kWithin - now;
  tries.push_back(now);
  return {};
}

void WrongTries::give_back(const asio::ip::address& from) {
  const std::lock_guard lock(mutex_);
  const auto found = tries_.find(key_of(from));
  if (found == tries_.end()) return;
  found->second.pop_back();
  if (found->second.empty()) tries_.erase(found);
}

WrongTries::Key WrongTries::key_of(const asio::ip::address& from) {
  if (from.is_v4()) return asio::ip::make_address_v6(asio::ip::v4_mapped, from.to_v4());
  Key::bytes_type bytes = from.to_v6().to_bytes();
  if (!from.to_v6().is_v4_mapped()) std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return Key(bytes);
}

void WrongTries::make_room(Mono now) {
  std::erase_if(tries_, [&](const auto& item) { return item.second.back() + kWithin <= now; });
  if (tries_.size() < kAddresses) return;
  tries_.erase(std::ranges::min_element(tries_, {}, [](const auto& item) { return item.second.back(); }));
}

}  // namespace tailrace
