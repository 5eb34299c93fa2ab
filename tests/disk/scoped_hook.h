#pragma once
// Steps of the disk that a test refuses or watches.

#include <functional>

#include "channels/disk/io.h"

namespace tailrace {

/// A hook for one scope.
class ScopedHook final : public IoHook {
 public:
  explicit ScopedHook(std::function<int(const IoStep&, size_t&)> f) : f_(std::move(f)) { set_io_hook(this); }
  ~ScopedHook() override { set_io_hook(nullptr); }
  int before(const IoStep& step, size_t& allowed) override { return f_(step, allowed); }

 private:
  std::function<int(const IoStep&, size_t&)> f_;
};

}  // namespace tailrace
