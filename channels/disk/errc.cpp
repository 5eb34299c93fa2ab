#include "channels/disk/errc.h"

#include <string>

namespace tailrace {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "disk"; }
  std::string message(int value) const override {
    switch (DiskErrc(value)) {
      case DiskErrc::ok:
        return "ok";
      case DiskErrc::damaged:
        return "damaged";
      case DiskErrc::too_big:
        return "too big for the format";
      case DiskErrc::newer_version:
        return "written by a newer version";
      case DiskErrc::not_a_data_dir:
        return "not a data dir";
    }
    return "unknown";
  }
};

}  // namespace

const boost::system::error_category& disk_category() {
  static const Category category;
  return category;
}

}  // namespace tailrace
