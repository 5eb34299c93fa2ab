#include "web/logins.h"

#include <algorithm>

#include "base/ids.h"

namespace tailrace {
namespace {

constexpr size_t kValueBytes = 32;
constexpr std::chrono::minutes kBetweenSweeps{1};

}  // namespace

Logins::Logins() : key_(random_hex(32)) {}

uint64_t Logins::removals() const {
  const std::lock_guard lock(mutex_);
  return removals_;
}

void Logins::make_room(const AccountPtr& account) {
  const auto is_its = [&](const Login& login) { return login.account == account; };
  if (std::ranges::count_if(logins_, is_its) >= std::ptrdiff_t(kMostOfOne))
    erase(std::ranges::find_if(logins_, is_its));
  else if (logins_.size() >= kMost)
    erase(logins_.begin());
}

std::optional<std::string> Logins::begin(const Account& account, uint64_t removals, Mono now) {
  std::string value = random_hex(kValueBytes), hash = hash_of(value);
  const std::lock_guard lock(mutex_);
  if (removals != removals_) return std::nullopt;
  AccountPtr whose = shared(account);
  make_room(whose);
  logins_.push_back({.hash = hash, .account = std::move(whose), .begun = now, .used = now});
  by_hash_[std::move(hash)] = std::prev(logins_.end());
  return value;
}

Logins::AccountPtr Logins::use(std::string_view value, Mono now) {
  if (value.size() != 2 * kValueBytes) return nullptr;
  const std::string hash = hash_of(value);
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return nullptr;
  Login& login = *found->second;
  if (login.over(now)) {
    erase(found->second);
    return nullptr;
  }
  login.used = std::max(login.used, now);
  return login.account;
}

void Logins::end(std::string_view value) {
  const std::string hash = hash_of(value);
  const std::lock_guard lock(mutex_);
  if (const auto found = by_hash_.find(hash); found != by_hash_.end()) erase(found->second);
}

void Logins::credential_removed(std::string_view user) {
  const std::lock_guard lock(mutex_);
  ++removals_;
  for (auto login = logins_.begin(); login != logins_.end();)
    login = login->account->user == user ? erase(login) : std::next(login);
  if (const auto found = accounts_.find(user); found != accounts_.end()) accounts_.erase(found);
}

void Logins::sweep(Mono now) {
  const std::lock_guard lock(mutex_);
  if (now < next_sweep_) return;
  next_sweep_ = now + kBetweenSweeps;
  for (auto login = logins_.begin(); login != logins_.end();)
    login = login->over(now) ? erase(login) : std::next(login);
  std::erase_if(accounts_, [](const auto& item) { return item.second.expired(); });
}

size_t Logins::size() const {
  const std::lock_guard lock(mutex_);
  return logins_.size();
}

/// One for all its logins, so that ten thousand of a credential with a thousand permissions are little.
Logins::AccountPtr Logins::shared(const Account& account) {
  std::weak_ptr<const Account>& kept = accounts_[account.user];
  AccountPtr one = kept.lock();
  if (!one) kept = one = std::make_shared<const Account>(account);
  return one;
}

Logins::Place Logins::erase(Place login) {
  by_hash_.erase(login->hash);
  return logins_.erase(login);
}

}  // namespace tailrace
