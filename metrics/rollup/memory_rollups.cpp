#include "metrics/rollup/memory_rollups.h"

#include <iterator>
#include <limits>
#include <map>

#include "metrics/rollup/table_rollups.h"

namespace tailrace {
namespace {

/// Never fails, so nothing is ever rolled back.
class MemoryTable final : public RollupTable {
 public:
  explicit MemoryTable(Micros now) { bounds_.made = now; }

  Result<void> begin(Micros /*now*/) override { return {}; }
  Result<void> commit() override { return {}; }
  void roll_back() override {}
  bool given_up(error_code /*error*/) override { return false; }

  Result<RollupBounds> bounds() override { return bounds_; }
  Result<void> set_bounds(const RollupBounds& bounds) override {
    bounds_ = bounds;
    return {};
  }
  Result<std::string> window(const WindowKey& key) override {
    const auto found = windows_.find(key);
    return found == windows_.end() ? std::string() : found->second;
  }
  Result<void> set_window(const WindowKey& key, std::string_view cells) override {
    set(windows_, key, cells);
    return {};
  }
  Result<void> remove_window(const WindowKey& key) override {
    remove(windows_, windows_.find(key));
    return {};
  }
  Result<std::vector<WindowKey>> windows(Micros length, Micros before, size_t most) override {
    std::vector<WindowKey> keys;
    for (auto at = windows_.lower_bound(first_of(length));
         at != windows_.end() && at->first < WindowKey{length, before, 0} && keys.size() < most; ++at)
      keys.push_back(at->first);
    return keys;
  }
  Result<std::optional<std::pair<Micros, Micros>>> extent(Micros length) override {
    const auto first = windows_.lower_bound(first_of(length));
    const auto past = windows_.lower_bound(first_of(length + 1));
    if (first == past) return std::optional<std::pair<Micros, Micros>>();
    return std::optional(std::pair(first->first.begin, std::prev(past)->first.begin));
  }

  Result<std::string> channel(uint32_t channel) override {
    const auto found = channels_.find(channel);
    return found == channels_.end() ? std::string() : found->second;
  }
  Result<void> set_channel(uint32_t channel, std::string_view state) override {
    set(channels_, channel, state);
    return {};
  }
  Result<std::vector<uint32_t>> channels() override {
    std::vector<uint32_t> all;
    for (const auto& [channel, state] : channels_) all.push_back(channel);
    return all;
  }
  Result<void> remove_channel(uint32_t channel) override {
    remove(channels_, channels_.find(channel));
    for (auto at = windows_.begin(); at != windows_.end();)
      at = at->first.channel == channel ? remove(windows_, at) : std::next(at);
    return {};
  }
  Result<uint64_t> bytes() override { return bytes_; }

 private:
  static constexpr uint64_t kEach = 128;  // of a tree's node and a text beside what it holds

  static WindowKey first_of(Micros length) { return {length, std::numeric_limits<Micros>::min(), 0}; }

  template <class Map, class Key>
  void set(Map& map, const Key& key, std::string_view text) {
    const auto [place, fresh] = map.try_emplace(key);
    bytes_ += text.size() + (fresh ? kEach : 0) - place->second.size();
    place->second.assign(text);
    place->second.shrink_to_fit();
  }
  template <class Map>
  typename Map::iterator remove(Map& map, typename Map::iterator at) {
    if (at == map.end()) return at;
    bytes_ -= at->second.size() + kEach;
    return map.erase(at);
  }

  RollupBounds bounds_;
  std::map<WindowKey, std::string> windows_;
  std::map<uint32_t, std::string> channels_;
  uint64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<RollupStore> memory_rollups(uint64_t bytes, RollupClocks clocks) {
  auto table = std::make_unique<MemoryTable>(clocks.now());
  return std::make_unique<TableRollups>(std::move(table), bytes, std::move(clocks));
}

}  // namespace tailrace
