#pragma once
// Looks a token up without a lock, most of the time.

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "channels/catalog.h"
#include "ingest/token_id.h"

namespace tailrace {

/// One per thread. What it gave stays alive until release(), also if the token is removed meanwhile. Holds
/// what the catalog said until the catalog's epoch moves. Remembers only tokens that exist, so that a flood
/// of invented ones cannot push them out; the slot is the id's own random digits.
class TokenCache {
 public:
  explicit TokenCache(const Catalog& catalog) : catalog_(catalog) {}

  /// Null if unknown. The reference is good until the next call.
  const TokenPtr& find(std::string_view id) {
    static const TokenPtr none;
    if (!looks_like_token(id)) return none;
    if (const uint64_t epoch = catalog_.token_epoch(); epoch != epoch_) {
      for (TokenPtr& slot : slots_) retire(slot);
      epoch_ = epoch;
    }
    uint64_t digits;
    std::memcpy(&digits, id.data() + 2, sizeof digits);
    TokenPtr& slot = slots_[(digits * 0x9e3779b97f4a7c15u) >> (64 - kBits)];
    if (slot && slot->id == id) return slot;
    TokenPtr found = catalog_.token(id);
    if (!found) return none;
    retire(slot);
    slot = std::move(found);
    return slot;
  }

  void release() { retired_.clear(); }

 private:
  void retire(TokenPtr& slot) {
    if (slot) retired_.push_back(std::move(slot));
    slot = nullptr;
  }

  static constexpr int kBits = 12;
  const Catalog& catalog_;
  uint64_t epoch_ = 0;
  std::array<TokenPtr, 1 << kBits> slots_;
  std::vector<TokenPtr> retired_;
};

}  // namespace tailrace
