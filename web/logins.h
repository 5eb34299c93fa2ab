#pragma once
// Who has signed in: what the values of the console's cookies stand for.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "channels/credential.h"

namespace tailrace {

/// Thread-safe, and in memory alone. A login lasts for 12 hours without use and 7 days in all; it ends when
/// it is signed out of, when its credential is removed, and when there are kMost newer ones, or kMostOfOne of
/// its credential's, so that nobody can end the logins of others. Of a value only
/// its hash under a key of the process is kept: neither a dump of the memory nor the time of a look-up tells
/// of one.
class Logins {
 public:
  static constexpr std::chrono::hours kIdle{12}, kLife{7 * 24};
  static constexpr size_t kMost = 10'000, kMostOfOne = 100;

  /// The credential that somebody signed in with. It never changes: one that is made anew is another.
  struct Account {
    std::string user;
    Permissions permissions;
  };
  using AccountPtr = std::shared_ptr<const Account>;

  Logins();

  /// How many credentials were removed; to be read before a password is judged.
  uint64_t removals() const;
  /// The new login's value, 64 hex digits. None: a credential was removed since then, perhaps this one, and
  /// the password must be judged again.
  std::optional<std::string> begin(const Account& account, uint64_t removals, Mono now);
  /// Whose login it is, which goes on; null if there is none.
  AccountPtr use(std::string_view value, Mono now);
  void end(std::string_view value);
  /// Ends every login of this credential; called when it is gone, and before anybody is told that it is.
  void credential_removed(std::string_view user);
  /// Lets go of what is over; to be called now and then.
  void sweep(Mono now);
  size_t size() const;

 private:
  struct Login {
    std::string hash;
    AccountPtr account;
    Mono begun, used;

    bool over(Mono now) const { return now >= used + kIdle || now >= begun + kLife; }
  };
  using Place = std::list<Login>::iterator;

  std::string hash_of(std::string_view value) const { return password_hash(key_, value); }
  AccountPtr shared(const Account& account);
  Place erase(Place login);
  /// The oldest of a credential that has kMostOfOne, or of all if there are kMost.
  void make_room(const AccountPtr& account);

  const std::string key_;
  mutable std::mutex mutex_;
  std::list<Login> logins_;  // the oldest first
  std::unordered_map<std::string, Place> by_hash_;
  std::map<std::string, std::weak_ptr<const Account>, std::less<>> accounts_;  // each once, by user
  uint64_t removals_ = 0;
  Mono next_sweep_{};
};

}  // namespace tailrace
