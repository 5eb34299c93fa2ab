#include "channels/errc.h"

#include <string>

namespace tailrace {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "channels"; }
  std::string message(int value) const override {
    switch (ChannelErrc(value)) {
      case ChannelErrc::ok:
        return "ok";
      case ChannelErrc::removed:
        return "the channel was removed";
      case ChannelErrc::no_room:
        return "no room to store";
      case ChannelErrc::not_found:
        return "not found";
      case ChannelErrc::exists:
        return "already exists";
      case ChannelErrc::too_many_drains:
        return "maximum number of drains reached";
      case ChannelErrc::not_stored:
        return "the change could not be stored";
      case ChannelErrc::is_counted:
        return "numbers are given in turn";
    }
    return "unknown";
  }
};

}  // namespace

const boost::system::error_category& channel_category() {
  static const Category category;
  return category;
}

}  // namespace tailrace
